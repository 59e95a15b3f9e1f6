// SPDX-License-Identifier: Apache-2.0
// The plan: what a pack would do here with these inputs under this policy, canonical, hashed and approved by hash
// (contract section 7). Pure: the same pack, inputs and policy effects give the same bytes on any machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
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

// One round of a map or loop: what its iterators stand for. Shared by every step of the turn; turns nest.
struct Turn {
  std::string iterator, index;         // names; index may be empty
  int number = 0;                      // from 0; the value of `index`
  canon::Json item;                    // the value of `iterator`
  std::shared_ptr<const Turn> around;  // null: no map or loop around that one
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
  std::vector<std::string> needs;    // siblings; full ids
  std::string when;                  // expression, empty: always
  std::string step_class;            // pending, skipped, requires-approval, requires-policy
  bool at_end = false;               // of `finally`: runs whatever happened, after all others, unless one of
                                     // its `needs` is not done (the site's gate)
  std::shared_ptr<const Turn> turn;  // that it lies in, or that it is (item); null: none
  // run
  std::vector<Word> command;  // argv
  std::string script;         // POSIX sh -eu; command is empty then
  std::map<std::string, Word> env;
  std::vector<Secret> secrets;
  std::vector<Endpoint> network;  // allowed for this step
  clock::Duration timeout{};      // of a group: of all of it, zero: none
  Retries retries;
  bool continue_on_error = false;  // groups too
  OnCrash on_crash = OnCrash::ask;
  std::map<std::string, pack::InputType> outputs;  // of $STELLA_OUTPUT: must be written, and are read as this type
  std::vector<pack::Output> artifacts;             // files that must be there when it has succeeded
  // gates
  Gate gate;                        // gate_approval
  std::string expression, message;  // gate_policy
  // groups
  int max_parallel = 0;                    // members, or turns, at once; 0: only the run's own bound. A loop has 1.
  MaxFailures max_failures;                // parallel, map
  bool fail_fast = false;                  // parallel, map: the first failure that counts stops the running members too
  std::vector<std::string> cases;          // conditional: the expressions, in order; a member's `branch` is its case
  int branch = -1;                         // member of a conditional; cases.size() is `else`
  std::string iterator, index;             // map, loop: the names of the turn's item and number; index may be empty
  bool dynamic = false;                    // its turns are made by instantiate() when it starts
  std::string items;                       // map, loop: the expression over them, of a dynamic one or a template
  std::optional<canon::Json> fixed_items;  // of a template whose items the pack lists
  int max_turns = 0;                       // map, loop: the most turns there may be
  std::string until;                       // loop: ends it when it holds after a turn; empty: never
  clock::Duration delay{};                 // loop: between two turns
  std::vector<Step> body;  // of a dynamic map or loop: templates of a turn, flat as the plan is, ids without the turn's
                           // prefix; a map or loop among them has its own body
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

// What a run has reached, for the expressions that are left in a plan. `find` gives a step of the plan or one that was
// made, null when there is none (yet); `members` the ids of a group's or turn's members in order, made ones too. Both
// are asked only for what an expression reads.
struct StepResult {
  std::string state;  // pending, running, succeeded, continued, failed, skipped, ...
  int exit_status = 0;
  canon::Json outputs = canon::Json::object();
  int branch = -1;  // of a conditional: the case that was taken, cases.size() for `else`; -1: none yet
};
struct View {
  std::string run_id;
  int attempt = 1;
  std::function<const Step*(const std::string& id)> find;
  std::function<std::vector<std::string>(const std::string& id)> members;
  std::function<StepResult(const std::string& id)> result;
  std::function<std::vector<std::string>(const std::string& gate)> approvers;  // names of those who approved it
};
using Names = std::vector<std::vector<std::string>>;  // as Expression::names() gives them
// Only what `names` reads of {inputs, steps, run: {id, attempt, tenant, pack, version, planHash}, approvals: {ID:
// {approvers}}} and of the iterators, as the step `at` sees it: an id is looked for in its own turn, then outwards.
// steps.ID of a run step or gate is {state, exit, outputs}; of a parallel {state}; of a conditional {state, case} (the
// case's number from 0, "else", null before); of a map or loop {state, items: [{state, steps: {ID: ...}}]}.
[[nodiscard]] canon::Json context(const Plan& plan, const View& view, const Step& at, const Names& names);
// `at` of kind item sees its turn from within (for `until`); a Step without id is the top level (the pack's outputs).

struct Resolved {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
};
// The final argv (`/bin/sh -eu -c SCRIPT` for a script) and environment of a run step. null becomes empty text. A value
// with a NUL byte is ERR_PACK_STEP_FAILED, reason `expression`.
[[nodiscard]] Resolved resolve(const Plan& plan, const View& view, const Step& step);
// Whether an expression that `at` has (its `when`, a policy gate's, a case's; empty: true) holds. For a loop's `until`,
// `at` is the turn that has just ended.
[[nodiscard]] bool holds(const std::string& expression, const Plan& plan, const View& view, const Step& at);
// The list that a dynamic map or loop goes over: evaluates its `items` when it starts; text that is a JSON list counts.
// ERR_PACK_STEP_FAILED, reason `items` when it is no list, `turns` when it has more than max_turns.
[[nodiscard]] canon::Json items_of(const Plan& plan, const View& view, const Step& group);
// The value of a pack's output that is not a file. ERR_PACK_STEP_FAILED, reason `output`, when it is not of its type.
[[nodiscard]] canon::Json value_of(const Output& output, const Plan& plan, const View& view);

// The same over a plan without groups, with everything that the run has reached.
struct Progress {
  std::string run_id;
  int attempt = 1;
  std::map<std::string, StepResult> steps;
  std::map<std::string, std::vector<std::string>> approvals;  // gate -> names of the people who approved it
};
[[nodiscard]] canon::Json context(const Plan& plan, const Progress& progress);
[[nodiscard]] Resolved resolve(const Step& step, const canon::Json& context);
[[nodiscard]] bool holds(const std::string& expression, const canon::Json& context);

// What would run, skip and ask: {classes: {ID: class}, dynamic: [{id, items, maxTurns}]}. Recorded with the run.
[[nodiscard]] canon::Json simulation(const Plan& plan);

}  // namespace stella::plan
