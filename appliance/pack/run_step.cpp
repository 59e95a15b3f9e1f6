// SPDX-License-Identifier: Apache-2.0
// Run steps and gates.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "appliance/pack/step_parts.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

constexpr std::size_t kMaxScript = std::size_t{256} << 10;
constexpr std::array kRunOptions = {"env",     "secrets", "timeout", "retries", "continueOnError", "when",
                                    "network", "needs",   "onCrash", "outputs", "artifacts"};

void read_program(Section& run, Findings& findings, Step& step) {
  if (run.has("command") == run.has("script"))
    findings.note(run.pointer(), "a run step has either `command` or `script`");
  if (const auto command = run.texts("command", kMaxWords)) {
    step.command = *command;
    if (command->empty() || command->front().empty()) run.note("command", "`command` names no program");
  }
  step.script = run.text("script", Need::optional, kMaxScript).value_or("");
  if (run.has("script") && step.script.empty()) run.note("script", "`script` is empty");
  if (step.script.find("${{") != std::string::npos)
    run.note(
        "script",
        "`${{ }}` is refused in a script, because text would become shell; put the value into `env` and use \"$NAME\"");
}

// The options of a run step may stand beside `run` or in it, but not in both.
class RunOptions {
 public:
  RunOptions(Section& step, Section& run) : step_(step), run_(run) {
    for (const char* name : kRunOptions) {
      if (step.has(name) && run.has(name)) step.note(name, fmt::format("`{}` is said twice: here and in `run`", name));
      (void)step.any(name);
      (void)run.any(name);
    }
  }
  Section& having(std::string_view name) { return run_.has(name) ? run_ : step_; }

 private:
  Section& step_;
  Section& run_;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::string read_expression(Section& section, std::string_view name, Need need) {
  const auto text = section.text(name, need);
  if (!text) return {};
  std::string_view bare = trimmed(*text);
  if (bare.starts_with("${{") && bare.ends_with("}}")) bare = trimmed(bare.substr(3, bare.size() - 5));
  if (bare.empty()) section.note(name, fmt::format("`{}` is empty", name));
  if (bare.find("${{") != bare.npos)
    section.note(name, "an expression stands here by itself, or as one `${{ }}`; not as text with holes");
  return std::string(bare);
}

void read_run(Section& section, Findings& findings, const Defaults& defaults, Step& step) {
  Section run(findings, *section.any("run"), section.pointer_to("run"));
  if (!run.is_mapping()) return;
  read_program(run, findings, step);
  RunOptions options(section, run);
  step.env = defaults.env;
  read_env(options.having("env"), findings, step.env);
  step.secrets = options.having("secrets").texts("secrets", kMaxWords).value_or(std::vector<std::string>{});
  step.timeout = options.having("timeout").duration("timeout").value_or(defaults.timeout);
  step.retries = read_retries(options.having("retries"), findings).value_or(defaults.retries);
  step.continue_on_error =
      options.having("continueOnError").boolean("continueOnError").value_or(defaults.continue_on_error);
  step.when = read_expression(options.having("when"), "when");
  step.network = read_network(options.having("network"), findings);
  if (!step.network) step.network = defaults.network;
  step.needs = options.having("needs").texts("needs", kMaxSteps);
  step.on_crash = read_on_crash(options.having("onCrash")).value_or(defaults.on_crash);
  read_step_outputs(options.having("outputs"), findings, step);
  read_step_artifacts(options.having("artifacts"), findings, step);
  run.finish();
}

void read_gate(Section& section, Findings& findings, Step& step) {
  const std::string name(name_of(step.kind));
  Section gate(findings, *section.any(name), section.pointer_to(name));
  if (step.kind == StepKind::gate_approval) {
    step.approval = gate.text("approval", Need::required).value_or("");
  } else {
    step.expression = read_expression(gate, "expression", Need::required);
    step.message = gate.text("message").value_or("");
  }
  gate.finish();
  step.when = read_expression(section, "when");
  step.needs = section.texts("needs", kMaxSteps);
}

}  // namespace stella::pack
