// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/runner.hpp"

#include <fmt/format.h>

#include "appliance/run/finish.hpp"
#include "appliance/run/gates.hpp"
#include "appliance/run/walk.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {

void unpack_afresh(const Record& record) {
  const std::string folder = record.row.folder + "/pack";
  try {
    files::remove_tree(folder);
    packfile::unpack(*record.pack, folder);
  } catch (const fault::Error& error) {
    if (error.reason() != "read-only") throw;
    throw fault::Error(fault::Code::artifact_store, "read-only",
                       fmt::format("the pack of {} cannot be unpacked: {}", record.row.id, error.what()), folder,
                       fmt::format("Make the disk writable, then `stella pack runs resume --run {}`.", record.row.id));
  }
}

Outcome go_on(Live& live) {
  try {
    if (!live.progress().started) {
      canon::Json data = {{"planHash", live.plan().hash_text()}};
      if (has_ending(live.plan())) data["finally"] = true;
      live.say({event_of("pack.run.started", std::move(data))}, {.state = "running", .code = "", .reason = ""});
    }
    files::crash_point("run.started");
    live.record().made = known_turns(*live.record().plan, live.record().progress);
    prove_passed_gates(live);
    return Walk(live).run();
  } catch (const fault::Error& error) {
    if (!is_pause(error)) throw;
    return pause(live, error, error.at());
  }
}

}  // namespace stella::run
