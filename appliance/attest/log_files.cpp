// SPDX-License-Identifier: Apache-2.0
#include "appliance/attest/log_files.hpp"

#include <fmt/format.h>

#include "appliance/logs/reader.hpp"

namespace stella::attest {
namespace {

using Named = std::map<std::string, std::string>;  // <step>.<try> -> sha256:HEX

// What the journal says of finished tries that printed something.
Named named_digests(std::span<const journal::Event> events) {
  Named named;
  for (const journal::Event& event : events) {
    if (event.type != "pack.step.finished") continue;
    const auto number = event.data.find("try"), digest = event.data.find("logSha256"),
               size = event.data.find("logBytes");
    if (number == event.data.end() || digest == event.data.end() || !number->is_number_integer() ||
        !digest->is_string())
      continue;
    if (size != event.data.end() && size->is_number_integer() && size->get<std::int64_t>() == 0) continue;
    named[fmt::format("{}.{}", event.step, number->get<std::int64_t>())] = digest->get<std::string>();
  }
  return named;
}

fault::Error not_as_named(const std::string& which, const std::string& what) {
  return {fault::Code::journal_tampered, "log", fmt::format("the log of {} {}", which, what), which,
          "Keep the run's folder as it is and look at the disk; nobody may change what lies in logs/."};
}

}  // namespace

void add_logs(evidence::BagWriter& bag, evidence::SafeNames& names, const Facts& facts,
              std::map<std::string, canon::Digest>& digests) {
  const std::string folder = facts.row.folder + "/logs";
  Named named = named_digests(facts.events);
  for (const logs::Extent& one : logs::tries(folder)) {
    const std::string which = fmt::format("{}.{}", one.step, one.number);
    const std::string name = names.name("data/logs", which + ".log");
    const canon::Digest digest = bag.add_stream(
        name, [&](const evidence::BagWriter::Take& take) { (void)logs::stream_text(folder, one, take); });
    digests[name] = digest;
    const auto said = named.find(which);
    if (said == named.end()) continue;  // its runner died before the end: what had been printed is kept
    if (said->second != digest.tagged()) throw not_as_named(which, "is not what the journal recorded");
    named.erase(said);
  }
  if (!named.empty()) throw not_as_named(named.begin()->first, "is missing");
}

}  // namespace stella::attest
