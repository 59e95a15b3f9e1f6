// SPDX-License-Identifier: Apache-2.0
// pack.yaml: what a pack says about itself, read strictly (contract section 6). Reading reports every problem of a
// document that parses, each at file:line:column and with the nearest spelling. A Manifest says nothing about trust:
// that is packfile's. Any thread.
//
// Limits: 1 MiB of text, 20,000 steps, 16 levels of groups, 200 inputs, secrets, approvals and hosts each.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"

namespace stella::pack {

enum class InputType { string, integer, number, boolean, array, object, file };
[[nodiscard]] std::string_view name_of(InputType type) noexcept;

struct Input {
  std::string name;
  InputType type = InputType::string;
  bool required = false;
  std::optional<canon::Json> fallback;  // `default`
  std::string schema;                   // path in the pack, empty: none
  std::string description;
};

struct Secret {
  std::string name, scope, env;
};  // env empty: a file /run/secrets/NAME

struct Approval {
  std::string id;
  int threshold = 1;
  std::map<std::string, int> roles;
  std::optional<clock::Duration> expires_after;  // absent: the site's default
  std::string message;                           // template over inputs
};

struct Ask {
  std::string host;
  int port = 0;
};  // host in lower case
struct Maintainer {
  std::string name, email;
};

enum class OnCrash { rerun, fail, ask };
[[nodiscard]] std::string_view name_of(OnCrash on_crash) noexcept;

// Delay before try n+1: min(backoff * factor^(n-1), max_backoff), less up to `jitter` (0..1) of itself.
struct Retries {
  int max_attempts = 1;
  double backoff_seconds = 1, factor = 2, max_backoff_seconds = 300, jitter = 0;
  std::vector<std::string> on;  // `exit:N`, `timeout`; empty: any failure
};

// item: one turn of a map or loop. It stands in plans only, never in a pack.
enum class StepKind { run, gate_approval, gate_policy, parallel, map, loop, conditional, item };
[[nodiscard]] std::string_view name_of(StepKind kind) noexcept;  // as pack.yaml writes it

struct Output {
  std::string name, path;  // path relative to /artifacts; empty: a value
  InputType type = InputType::file;
  std::string value{};  // template, filled when the run ends
};

struct Step;
struct Case {
  std::string when;
  std::vector<Step> steps;
};
// What a map or loop goes over: a list in the pack, a range (both ends in), or an expression.
struct Items {
  std::optional<canon::Json> fixed;
  std::optional<std::pair<std::int64_t, std::int64_t>> range;
  std::string expression;  // without its `${{ }}`; empty: none
};
struct MaxFailures {  // how many members, or percent of them (rounded down), may fail before the group does
  int many = 0;
  bool percent = false;
};

struct Step {
  std::string id;
  StepKind kind = StepKind::run;
  std::string when;                               // expression, empty: always
  std::optional<std::vector<std::string>> needs;  // absent: all steps before it
  // run: `command` or `script`
  std::vector<std::string> command;                 // templates
  std::string script;                               // POSIX sh -eu, no templates
  std::map<std::string, std::string> env;           // templates
  std::vector<std::string> secrets;                 // names
  std::optional<std::vector<Ask>> network;          // absent: all that the pack asks for
  clock::Duration timeout = std::chrono::hours(1);  // of a group: zero is none
  Retries retries;
  bool continue_on_error = false;  // groups too
  OnCrash on_crash = OnCrash::ask;
  std::map<std::string, InputType> outputs;  // of $STELLA_OUTPUT: must be written, and are read as this type
  std::vector<Output> artifacts;             // files that must be there when it has succeeded
  // gates
  std::string approval;             // gate_approval
  std::string expression, message;  // gate_policy
  // groups
  std::vector<Step> steps;  // parallel, map, loop
  int max_parallel = 0;     // parallel, map; 0: only the run's bound
  MaxFailures max_failures;
  bool fail_fast = false;
  Items items;  // map, loop
  std::string iterator = "item", index;
  int max_turns = 1000;         // loop: maxIterations; map: maxItems
  std::string until;            // loop
  clock::Duration delay{};      // loop
  std::vector<Case> cases;      // conditional
  std::vector<Step> otherwise;  // conditional: else
  std::string at;               // JSON pointer in pack.yaml; file:line:column once the manifest is read
};

// The OCI image whose files the steps see in place of the appliance's own.
struct Runtime {
  std::string name;      // folder or tar beneath images/ in the pack
  canon::Digest digest;  // of the image's manifest
  [[nodiscard]] std::string text() const { return name + "@" + digest.tagged(); }
  bool operator==(const Runtime&) const = default;
};

struct Manifest {
  std::string name, version, description, license;
  std::vector<std::string> tags, tenant_visibility;  // tenant_visibility empty: every tenant
  std::vector<Maintainer> maintainers;
  bool sealed_install = false;
  std::vector<Input> inputs;
  std::vector<Secret> secrets;
  std::vector<Approval> approvals;
  std::vector<Ask> network;
  std::vector<Step> steps;
  std::vector<Step> at_end;        // finally
  int max_parallel = 4;            // steps at once in a run
  std::optional<Runtime> runtime;  // absent: the appliance's own /usr
  std::vector<Output> outputs;
  [[nodiscard]] std::string name_version() const { return name + ":" + version; }
  [[nodiscard]] const Input* find_input(std::string_view name) const;
  [[nodiscard]] const Secret* find_secret(std::string_view name) const;
  [[nodiscard]] const Approval* find_approval(std::string_view id) const;
};

struct Problem {
  std::string at, what, reason;
};
struct Reading {
  Manifest manifest;              // what could be read
  std::vector<Problem> problems;  // empty: all of it
};
// Text that is no YAML throws ERR_PACK_INVALID, reason `yaml`; everything else is collected.
[[nodiscard]] Reading read_manifest(std::string_view text, const std::string& name);
// Throws ERR_PACK_INVALID, reason `schema`, for the first problem, with the number of the others.
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& name);

// The text of a file of the pack, nullopt when there is none of that path.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
// What pack.yaml says about the pack's other files: schemas that exist and can be used, defaults that keep them,
// commands that are there.
[[nodiscard]] std::vector<Problem> check_files(const Manifest& manifest, const FileReader& read);
// ERR_PACK_INVALID for a list that is not empty: the first problem, with the number of the others.
void require_none(const std::vector<Problem>& problems);

}  // namespace stella::pack
