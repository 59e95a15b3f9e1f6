// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

constexpr std::size_t kMaxSteps = 1000, kMaxWords = 1000, kMaxScript = std::size_t{256} << 10;
constexpr std::array kLaterKinds = {"parallel", "map", "loop", "conditional"};
constexpr std::array kRunOptions = {"env",  "secrets", "timeout", "retries", "continueOnError",
                                    "when", "network", "needs",   "onCrash"};

// What a pack says once for all its steps.
struct Defaults {
  clock::Duration timeout = std::chrono::hours(1);
  Retries retries;
  bool continue_on_error = false;
  OnCrash on_crash = OnCrash::ask;
};

bool is_retry_cause(const std::string& text) {
  if (text == "timeout") return true;
  if (!text.starts_with("exit:") || text.size() < 6 || text.size() > 8) return false;
  const std::string number = text.substr(5);
  return number.find_first_not_of("0123456789") == std::string::npos && std::stoi(number) >= 1 &&
         std::stoi(number) <= 255;
}

std::optional<OnCrash> read_on_crash(Section& section) {
  const auto text = section.choice("onCrash", {"rerun", "fail", "ask"});
  if (!text) return std::nullopt;
  return *text == "rerun" ? OnCrash::rerun : *text == "fail" ? OnCrash::fail : OnCrash::ask;
}

Defaults read_defaults(Section& spec, Findings& findings) {
  Defaults defaults;
  if (const canon::Json* value = spec.any("failure")) {
    Section failure(findings, *value, spec.pointer_to("failure"));
    if (const auto retries = read_retries(failure, findings)) defaults.retries = *retries;
    defaults.continue_on_error = failure.boolean("continueOnError").value_or(false);
    failure.finish();
  }
  if (const canon::Json* value = spec.any("defaults")) {
    Section section(findings, *value, spec.pointer_to("defaults"));
    defaults.timeout = section.duration("timeout").value_or(defaults.timeout);
    if (const auto retries = read_retries(section, findings)) defaults.retries = *retries;
    defaults.on_crash = read_on_crash(section).value_or(defaults.on_crash);
    section.finish();
  }
  return defaults;
}

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

void read_env(Section& section, Findings& findings, Step& step) {
  section.each_member(
      "env", kMaxWords, [&](const std::string& name, const canon::Json& value, const std::string& pointer) {
        if (!is_variable(name))
          return findings.note_key(
              pointer, fmt::format("`{}` is no variable's name, or begins with STELLA_", canon::printable(name, 60)));
        if (!value.is_string()) return findings.note(pointer, "a variable's value must be text; put it in quotes");
        step.env[name] = value.get<std::string>();
      });
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

void read_run(Section& section, Findings& findings, const Defaults& defaults, Step& step) {
  Section run(findings, *section.any("run"), section.pointer_to("run"));
  if (!run.is_mapping()) return;
  read_program(run, findings, step);
  RunOptions options(section, run);
  read_env(options.having("env"), findings, step);
  step.secrets = options.having("secrets").texts("secrets", kMaxWords).value_or(std::vector<std::string>{});
  step.timeout = options.having("timeout").duration("timeout").value_or(defaults.timeout);
  step.retries = read_retries(options.having("retries"), findings).value_or(defaults.retries);
  step.continue_on_error =
      options.having("continueOnError").boolean("continueOnError").value_or(defaults.continue_on_error);
  step.when = options.having("when").text("when").value_or("");
  step.network = read_network(options.having("network"), findings);
  step.needs = options.having("needs").texts("needs", kMaxSteps);
  step.on_crash = read_on_crash(options.having("onCrash")).value_or(defaults.on_crash);
  run.later("runtime");
  run.finish();
}

void read_gate(Section& section, Findings& findings, Step& step) {
  const std::string name = step.kind == StepKind::gate_approval ? "gate.approval" : "gate.policy";
  Section gate(findings, *section.any(name), section.pointer_to(name));
  if (step.kind == StepKind::gate_approval) {
    step.approval = gate.text("approval", Need::required).value_or("");
  } else {
    step.expression = gate.text("expression", Need::required).value_or("");
    step.message = gate.text("message").value_or("");
  }
  gate.finish();
  step.when = section.text("when").value_or("");
  step.needs = section.texts("needs", kMaxSteps);
}

// The one kind of a step; nullopt, with a problem, when there is none, more than one, or one of a later version.
std::optional<StepKind> read_kind(Section& section, Findings& findings) {
  std::vector<std::string> found;
  for (const char* name : kLaterKinds) {
    if (section.has(name)) found.emplace_back(name);
    section.later(name);
  }
  if (!found.empty()) {
    for (const char* name : kRunOptions) (void)section.any(name);
    return std::nullopt;
  }
  for (const char* name : {"run", "gate.approval", "gate.policy"})
    if (section.any(name) != nullptr) found.emplace_back(name);
  if (found.size() == 1)
    return found[0] == "run"             ? StepKind::run
           : found[0] == "gate.approval" ? StepKind::gate_approval
                                         : StepKind::gate_policy;
  findings.note(section.pointer(), found.empty()
                                       ? "a step has one of run, gate.approval, gate.policy"
                                       : fmt::format("a step is one thing only, not {}", fmt::join(found, " and ")));
  return std::nullopt;
}

Step read_step(const canon::Json& item, const std::string& pointer, Findings& findings, const Defaults& defaults) {
  Section section(findings, item, pointer);
  Step step;
  step.at = findings.document().at(pointer);
  if (!section.is_mapping()) return step;
  step.id = section.word("id", Need::required, is_id, "a letter, then letters, digits, _ or -, at most 63 in all")
                .value_or("");
  if (step.id == "site")
    section.note("id", "`site` is the gate that a site policy may put before a pack; choose another id");
  if (const auto kind = read_kind(section, findings)) {
    step.kind = *kind;
    if (step.kind == StepKind::run)
      read_run(section, findings, defaults, step);
    else
      read_gate(section, findings, step);
  }
  section.finish();
  return step;
}

}  // namespace

std::optional<Retries> read_retries(Section& section, Findings& findings) {
  const canon::Json* value = section.any("retries");
  if (value == nullptr) return std::nullopt;
  Section entry(findings, *value, section.pointer_to("retries"));
  Retries retries;
  retries.max_attempts = static_cast<int>(entry.integer("maxAttempts", 1, 100).value_or(1));
  retries.backoff_seconds = entry.number("backoffSeconds", 0, 86400).value_or(retries.backoff_seconds);
  retries.factor = entry.number("factor", 1, 100).value_or(retries.factor);
  retries.max_backoff_seconds = entry.number("maxBackoffSeconds", 0, 86400).value_or(retries.max_backoff_seconds);
  retries.jitter = entry.number("jitter", 0, 1).value_or(0);
  retries.on = entry.texts("on", 300).value_or(std::vector<std::string>{});
  for (const std::string& cause : retries.on)
    if (!is_retry_cause(cause))
      entry.note("on", fmt::format("`{}` is no cause; write timeout, or exit:N with N from 1 to 255",
                                   canon::printable(cause, 60)));
  entry.finish();
  return retries;
}

void read_steps_part(Section& spec, Findings& findings, Manifest& manifest) {
  const Defaults defaults = read_defaults(spec, findings);
  spec.each("steps", Need::required, kMaxSteps, [&](const canon::Json& item, const std::string& pointer) {
    manifest.steps.push_back(read_step(item, pointer, findings, defaults));
  });
  const canon::Json* steps = spec.any("steps");
  if (steps != nullptr && steps->is_array() && steps->empty()) spec.note("steps", "a pack has at least one step");
}

}  // namespace stella::pack
