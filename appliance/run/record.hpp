// SPDX-License-Identifier: Apache-2.0
// A run read back from its folder and its events, with everything checked that can be: for the runner, for approvals
// and for evidence. One thread; a Record is tied to the moment it was read.
//
// The plan is computed again from the run's own bundle.pack, policy.dsse.json and inputs, and must be the plan.json
// that lies there and the hash that the journal recorded (security.md rule 3).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "appliance/gate/gate.hpp"
#include "appliance/image/image.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/journal/via.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/run/behind.hpp"
#include "appliance/run/progress.hpp"
#include "bundles/files/home.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/site/policy.hpp"
#include "vault/lease/lease.hpp"

namespace stella::run {

using Made = std::vector<std::unique_ptr<plan::Step>>;

struct Record {
  journal::RunRow row;
  std::int64_t last_seq = 0;  // of the events that `progress` has taken in
  Progress progress;
  std::unique_ptr<plan::Plan> plan;                    // stays where it is: gate::Subject points to it
  std::vector<packfile::Accepted::Signer> publishers;  // who signed the pack, by the current policy
  std::unique_ptr<packfile::Accepted> pack;            // the run's own bundle.pack, opened and accepted
  std::optional<image::Prepared> runtime;              // set by prepare_runtime(), where the plan pins an image
  std::unique_ptr<site::Applied> current;              // the home's applied policy now
  std::vector<plan::Endpoint> undeclared;              // the policy allows it, the pack did not ask: for messages
  std::map<std::string, std::vector<std::string>> approved_by;  // gate -> people, of the gates this process has cleared
  Made made;                          // of turns whose items only the run could tell; see make_turns()
  std::string drift;                  // empty: the current policy gives the same plan; else what would differ, in words
  std::unique_ptr<plan::Plan> fresh;  // with drift: the plan that the current policy gives
  [[nodiscard]] Steps steps() const;  // the plan's, then the made ones
};

// Makes the turns of a dynamic map or loop and keeps them with the record.
std::vector<const plan::Step*> make_turns(Record& record, const plan::Step& group, const canon::Json& items);
// The turns that the journal says were begun in this attempt, as the plan makes them.
[[nodiscard]] Made known_turns(const plan::Plan& plan, const Progress& progress);
[[nodiscard]] Steps steps_of(const plan::Plan& plan, const Made& made);  // the plan's, then the made ones

// ERR_RUN_NOT_FOUND; ERR_JOURNAL_TAMPERED; ERR_PACK_HASH_MISMATCH reason `stored` when the plan, the pack or an input
// in the run's folder is not what was planned; ERR_PACK_SIGNATURE when the current policy takes the pack or its
// publisher away.
[[nodiscard]] Record load_record(const files::Home& home, const journal::Journal& journal, const std::string& run);

// The run as its gates see it. Points into `record`.
[[nodiscard]] gate::Subject subject_of(const Record& record);

// The files of a run's folder under their names.
[[nodiscard]] inline std::string bundle_of(const std::string& folder) {
  return folder + "/bundle.pack";
}
[[nodiscard]] inline std::string plan_of(const std::string& folder) {
  return folder + "/plan.json";
}
[[nodiscard]] inline std::string policy_of(const std::string& folder) {
  return folder + "/policy.dsse.json";
}
[[nodiscard]] inline std::string inputs_of(const std::string& folder) {
  return folder + "/inputs.json";
}

// The one gate that waits; ERR_USAGE reason `gate` (naming the candidates) when none or several do and `wanted` is
// empty, or when the plan has no gate `wanted`, with the nearest spelling.
[[nodiscard]] const plan::Gate& need_gate(const Record& record, const std::string& wanted);

// What lies in work/, artifacts/ and the outputs now, at the journal's point where this gate began to wait: what goes
// into a request, and what is compared with one. ERR_APPROVAL_REPLAYED reason `closed` when the gate does not wait.
[[nodiscard]] gate::State state_now(const Record& record, const std::string& gate);

// The time at which the gate runs out, counted from pack.gate.waiting.
[[nodiscard]] clock::Time expiry_of(const Record& record, const std::string& gate);

// The secrets that the steps behind the gate would lease; versions are left out while the vault is not open (null).
struct ReviewedSecret {
  std::string name, scope;
  std::optional<std::int64_t> version;
};
[[nodiscard]] std::vector<ReviewedSecret> secrets_behind(const Record& record, const std::string& gate,
                                                         lease::Source* vault);

// Gives a waiting gate more time: a new pack.gate.waiting (and so a new state, journal point and request). The person
// who extends becomes a requester.
void extend_gate(journal::Journal& journal, const Record& record, const std::string& gate, clock::Duration by,
                 const journal::Asker& asker, clock::Time now);

// Ends a run whose gate was rejected: pack.gate.rejected, pack.run.failed with ERR_PACK_APPROVAL_REJECTED; evidence is
// sealed.
void end_rejected(const files::Home& home, journal::Journal& journal, const Record& record, const gate::Tally& tally,
                  clock::Time now);

}  // namespace stella::run
