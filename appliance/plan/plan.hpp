// SPDX-License-Identifier: Apache-2.0
// The plan: what a pack would do here with these inputs under this policy, canonical, hashed and approved by hash
// (contract section 7). Pure: the same pack, inputs and policy effects give the same bytes on any machine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "appliance/pack/inputs.hpp"
#include "appliance/pack/manifest.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/site/policy.hpp"

namespace stella::plan {

enum class Kind { run, gate_approval, gate_policy };
enum class OnCrash { rerun, fail, ask };

struct Endpoint { std::string host, address; int port = 0; };
struct Secret { std::string name, scope, env; };  // env empty: as a file
struct Retries { int max_attempts = 1; double backoff_seconds = 0, factor = 1, max_backoff_seconds = 300; };

struct Gate {  // one approval gate, after the site's floor was applied
  std::string id;  // the approval's id: what --gate names
  int threshold = 1;
  std::map<std::string, int> roles;
  clock::Duration expires_after{};
  std::string message;
};

struct Step {
  std::string id;
  Kind kind = Kind::run;
  std::vector<std::string> needs;   // all steps before it, when the pack names none
  std::string when;                 // expression, empty: always
  std::string step_class;           // pending, skipped, requires-approval, requires-policy
  // run
  std::vector<std::string> command; // argv; may hold ${{ steps... }} holes that only the run can fill
  std::string script;               // POSIX sh -eu; command is empty then
  std::map<std::string, std::string> env;
  std::vector<Secret> secrets;
  std::vector<Endpoint> network;    // allowed for this step
  clock::Duration timeout{};
  Retries retries;
  bool continue_on_error = false;
  OnCrash on_crash = OnCrash::ask;
  // gates
  Gate gate;                        // gate_approval
  std::string expression, message;  // gate_policy
  canon::Digest digest;             // of the step's node in the plan: what "same step bytes" means at resume
};

struct Output { std::string name, path; };

struct Plan {
  canon::Json document;             // stella.plan.v1
  std::string bytes;                // RFC 8785
  canon::Digest hash;
  std::string pack_name, pack_version, tenant;
  canon::Digest pack_digest;
  canon::Json inputs;               // values as expressions see them: file inputs are /inputs/NAME
  std::vector<Step> steps;
  std::vector<Output> outputs;
  std::vector<Endpoint> allowed;    // of the whole plan
  [[nodiscard]] std::string hash_text() const { return hash.tagged(); }
};

struct Sources {
  const packfile::Opened& pack;
  const pack::Manifest& manifest;
  const pack::Inputs& inputs;
  const site::Policy* policy;       // null: no policy is applied: no network, no approvers
  std::string tenant;
};
// ERR_PACK_INVALID (names, cycles, expressions), ERR_APPROVAL_ROSTER too-few, ERR_PACK_SEALED_REQUIRED,
// ERR_PACK_SIGNATURE denied. A pack that asks for a host the site does not allow is planned: it stands under refused.
[[nodiscard]] Plan make(const Sources& sources);
// Reads back a plan's canonical bytes (for a run's stored plan.json); the digest is recomputed.
[[nodiscard]] Plan parse(std::string_view bytes, fault::Code code, const std::string& at);

}  // namespace stella::plan
