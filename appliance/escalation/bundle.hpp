// SPDX-License-Identifier: Apache-2.0
// The folder that goes to whoever is called. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "appliance/journal/journal.hpp"

namespace stella::escalation {

struct Contents {
  const journal::Journal& journal;
  const journal::RunRow& row;
  const canon::Json& report;
  const canon::Json& doctor;   // what `stella doctor` found
  const std::string& version;  // of stella
  clock::Time now;
};
struct Bundle {
  std::string name;                                        // <run id with _ for :>_<time>
  std::vector<std::pair<std::string, std::string>> files;  // name and text, in the order in which they are written
};
// report.json, report.txt, log.txt, journal.jsonl, plan.json, evidence.json, doctor.json, versions.json and, last,
// SHA256SUMS of them. The journal's lines are as they are, but for the last characters of secrets: a line without them
// no longer gives the `prev` of the next one.
[[nodiscard]] Bundle bundle_of(const Contents& contents);
// Makes DIR/<name>/ with them; its path. ERR_FILE_UNSUITABLE when something is there already.
[[nodiscard]] std::string write_bundle(const std::string& folder, const Bundle& bundle);

}  // namespace stella::escalation
