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

struct Gate {      // one approval gate, after the site's floor was applied
  std::string id;  // the approval's id: what --gate names
  int threshold = 1;
  std::map<std::string, int> roles;
  clock::Duration expires_after{};
  std::string message;
};

struct Step {
  std::string id;
  Kind kind = Kind::run;
  std::vector<std::string> needs;  // all steps before it, when the pack names none
  std::string when;                // expression, empty: always
  std::string step_class;          // pending, skipped, requires-approval, requires-policy
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
  canon::Digest digest;             // of the step's node in the plan: what "same step bytes" means at resume
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
  std::vector<Endpoint> allowed;  // of the whole plan
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
