// SPDX-License-Identifier: Apache-2.0
// The plan: what a pack would do here with these inputs under this policy, canonical, hashed and approved by hash
// (contract section 7). Pure: the same pack, inputs and policy effects give the same bytes on any machine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "appliance/network/decision.hpp"
#include "appliance/pack/inputs.hpp"
#include "appliance/pack/manifest.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/site/policy.hpp"

namespace stella::plan {

using pack::OnCrash;
using pack::Retries;
using pack::Secret;
using Kind = pack::StepKind;
using Endpoint = network::Endpoint;

// One argument or value. `open`: it holds `${{ }}` holes over steps, run or approvals that only the run can fill. What
// was filled in at plan time is never read as a template again.
struct Word {
  std::string text;
  bool open = false;
};

// One approval gate, after the site's floor was applied. `id` is what --gate names: the approval's id, and before it
// the turn's id where the gate stands in a map or loop: `flash[3]::security-review`.
struct Gate {
  std::string id;
  int threshold = 1;
  std::map<std::string, int> roles;
  clock::Duration expires_after{};
  std::string message;
};

using pack::MaxFailures;  // how many members of a parallel or map may fail before it starts nothing more and fails

// A step of the plan. The plan is a flat list in an order that keeps every `needs` and has each group before its
// members. `parent` is the id of the group (or turn) a step stands in. A turn (kind `item`) is one round of a map or
// loop: flash[3] holds flash[3]::one. Members of a parallel or conditional keep plain ids: they share the scope around.
//
// Ready: all of `needs` are done and the parent runs. A group is done when its members are.
struct Step {
  std::string id;
  std::string parent;  // empty: top level
  Kind kind = Kind::run;
  std::vector<std::string> needs;              // siblings; full ids
  std::string when;                            // expression, empty: always
  std::string step_class;                      // pending, skipped, requires-approval, requires-policy
  bool at_end = false;                         // of `finally`: runs whatever happened, after all others
  canon::Json locals = canon::Json::object();  // values of the iterators in scope, {} at top: seen beside inputs, steps
  // run
  std::vector<Word> command;  // argv
  std::string script;         // POSIX sh -eu; command is empty then
  std::map<std::string, Word> env;
  std::vector<Secret> secrets;
  std::vector<Endpoint> network;  // allowed for this step
  clock::Duration timeout{};
  Retries retries;
  bool continue_on_error = false;
  OnCrash on_crash = OnCrash::ask;
  // gates
  Gate gate;                        // gate_approval
  std::string expression, message;  // gate_policy
  // groups
  int max_parallel = 0;            // members, or turns, at once; 0: only the run's own bound. A loop has 1.
  MaxFailures max_failures;        // parallel, map
  bool fail_fast = false;          // parallel, map: the first failure that counts stops the running members too
  std::vector<std::string> cases;  // conditional: the expressions, in order; a member's `branch` is its case
  int branch = -1;                 // member of a conditional; cases.size() is `else`
  std::string iterator, index;     // map, loop: the names of the turn's item and number; index may be empty
  std::string items;               // map, loop whose items only the run can tell: the expression over them
  bool dynamic = false;            // its turns are made by instantiate() when it starts
  int max_turns = 0;               // map, loop: the most turns there may be
  std::string until;               // loop: ends it when it holds after a turn; empty: never
  clock::Duration delay{};         // loop: between two turns
  canon::Json item;                // of a turn: its value
  std::vector<Step> body;          // map, loop: templates of a turn, ids without the turn's prefix
  canon::Digest digest;  // of the step's node in the plan: what "same step bytes" means at resume; a turn's and a made
                         // step's are of the node that the plan would hold had it been known
};

using pack::Output;
struct FileDigest {
  canon::Digest digest;
  std::uint64_t size_bytes = 0;
};

struct Plan {
  canon::Json document;  // stella.plan.v1
  std::string bytes;     // RFC 8785
  canon::Digest hash;
  std::string pack_name, pack_version, tenant;
  canon::Digest pack_digest;
  canon::Json inputs;                       // values as expressions see them: file inputs are /inputs/NAME
  std::map<std::string, FileDigest> files;  // file inputs
  std::vector<Step> steps;                  // in an order that keeps every `needs`
  std::vector<Output> outputs;
  std::vector<Endpoint> allowed;         // of the whole plan
  int max_parallel = 4;                  // steps at once in a run
  std::optional<pack::Runtime> runtime;  // absent: the appliance's own programs
  [[nodiscard]] std::string hash_text() const { return hash.tagged(); }
};

struct Sources {
  const pack::Manifest& manifest;  // name and version too
  canon::Digest pack_digest;       // all zeros: a folder that is not built yet
  const pack::Inputs& inputs;
  const site::Policy* policy;  // null: no policy is applied: no network, no approvers
  std::string tenant;
};
// ERR_PACK_INVALID (names, cycles, expressions), ERR_APPROVAL_ROSTER too-few, ERR_PACK_SEALED_REQUIRED,
// ERR_PACK_SIGNATURE denied. A pack that asks for a host the site does not allow is planned: it stands under refused.
[[nodiscard]] Plan make(const Sources& sources);
[[nodiscard]] std::string_view name_of(site::Mode mode) noexcept;
// Reads back a plan's canonical bytes (for a run's stored plan.json); the digest is recomputed.
[[nodiscard]] Plan parse(std::string_view bytes, fault::Code code, const std::string& at);

// The turn number `number` (from 0) of a map or loop and all steps in it, as make() would have written them had the
// item been known. Pure. ERR_PACK_STEP_FAILED reason `expression` for a value that no argument can hold, reason `turns`
// when nested items are more than allowed.
[[nodiscard]] std::vector<Step> instantiate(const Plan& plan, const Step& group, int number, const canon::Json& item);

// The id without turn numbers: flash[3]::one and flash[4]::one are both flash[*]::one.
[[nodiscard]] std::string template_id(std::string_view id);
// The turn that a step's id lies in, `flash[3]` of flash[3]::one; empty at top level.
[[nodiscard]] std::string_view turn_of(std::string_view id) noexcept;

// What a run has reached, for the expressions that are left in a plan.
struct StepResult {
  std::string state;
  int exit_status = 0;
  std::map<std::string, std::string> outputs;
};
struct Progress {
  std::string run_id;
  int attempt = 1;
  std::map<std::string, StepResult> steps;
  std::map<std::string, std::vector<std::string>> approvals;  // gate -> names of the people who approved it
};
// {inputs, steps: {ID: {state, exit, outputs}}, run: {id, attempt, tenant, pack, version, planHash}, approvals: {ID:
// {approvers}}}
[[nodiscard]] canon::Json context(const Plan& plan, const Progress& progress);

struct Resolved {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
};
// The final argv (`/bin/sh -eu -c SCRIPT` for a script) and environment of a run step. null becomes empty text. A value
// with a NUL byte is ERR_PACK_STEP_FAILED, reason `expression`.
[[nodiscard]] Resolved resolve(const Step& step, const canon::Json& context);
// Whether the step's `when` (true when it has none), or a policy gate's expression, holds.
[[nodiscard]] bool holds(const std::string& expression, const canon::Json& context);

}  // namespace stella::plan
