// SPDX-License-Identifier: Apache-2.0
// pack runs removals: what was removed from this home, each with its record and the appliance's signature.
#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/retention/statement.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;
using retention::Removed;
using retention::Signed;

// --trust names the appliance's public keys; without it the home's own identity.
std::vector<trust::PublicKey> keys_of(Invocation& call) {
  std::vector<trust::PublicKey> keys;
  for (const std::string& path : call.values("--trust")) keys.push_back(trust::load_public(path));
  if (keys.empty() && site::has_identity(call.home()))
    keys.push_back(site::load_identity(call.home()).key.public_key());
  return keys;
}

std::string word_of(Signed state) {
  switch (state) {
    case Signed::good:
      return "good";
    case Signed::missing:
      return "missing";
    case Signed::bad:
      break;
  }
  return "bad";
}

int list_removals(Invocation& call) {
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const std::vector<Removed> all = retention::removals(call.home(), journal, keys_of(call));
  std::vector<std::vector<std::string>> rows;
  canon::Json objects = canon::Json::array();
  std::string bad;
  for (const Removed& one : all) {
    const std::string word = word_of(one.statement);
    if (one.statement != Signed::good && bad.empty()) bad = fmt::format("{} ({})", one.record.run, word);
    rows.push_back({std::to_string(one.record.number), one.record.run, clock::format(one.record.at),
                    canon::printable(one.record.by, 60), canon::printable(one.record.why, 120), word});
    canon::Json object = canon::parse_json(one.record.line, Code::journal_tampered, one.record.run);
    object["signature"] = word;
    object["file"] = one.file;
    objects.push_back(std::move(object));
  }
  if (rows.empty()) call.out().say("no run was removed from this home");
  if (!rows.empty()) call.out().table({"NUMBER", "RUN", "REMOVED", "BY", "WHY", "SIGNATURE"}, rows);
  call.out().result({{"removals", objects}});
  if (bad.empty()) return 0;
  throw Error(
      Code::journal_tampered, "signature", fmt::format("the removal of {} is not signed as recorded", bad), bad,
      "Missing: `stella pack runs prune --yes` signs what a crash left unsigned. Bad: keep the home as it is and "
      "tell your security people; after `site identity --renew` give the old key with --trust.");
}

}  // namespace

Command runs_removals_command() {
  return {{"pack", "runs", "removals"},
          "what was removed from this home: who, when, why, and whether the signature is good",
          "stella pack runs removals",
          {},
          {{"--trust", "APPLIANCE.pub", "the appliance's key, and older ones; default: this home's identity", false,
            true, false}},
          list_removals};
}

}  // namespace stella::cli
