// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/runner.hpp"

#include "appliance/run/finish.hpp"
#include "appliance/run/gates.hpp"
#include "appliance/run/walk.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {

void unpack_afresh(const Record& record) {
  const std::string folder = record.row.folder + "/pack";
  files::remove_tree(folder);
  packfile::unpack(*record.pack, folder);
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
