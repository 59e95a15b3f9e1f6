// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "appliance/pack/step_parts.hpp"

namespace stella::pack {
namespace {

constexpr std::array kKinds = {StepKind::run, StepKind::gate_approval, StepKind::gate_policy, StepKind::parallel,
                               StepKind::map, StepKind::loop,          StepKind::conditional};

// The one kind of a step; nullopt, with a problem, when there is none or more than one.
std::optional<StepKind> read_kind(Section& section, Findings& findings) {
  std::vector<StepKind> found;
  for (const StepKind kind : kKinds)
    if (section.any(name_of(kind)) != nullptr) found.push_back(kind);
  if (found.size() == 1) return found.front();
  std::vector<std::string_view> names;
  for (const StepKind kind : found.empty() ? std::vector<StepKind>(kKinds.begin(), kKinds.end()) : found)
    names.push_back(name_of(kind));
  findings.note(section.pointer(), found.empty()
                                       ? fmt::format("a step has one of {}", fmt::join(names, ", "))
                                       : fmt::format("a step is one thing only, not {}", fmt::join(names, " and ")));
  return std::nullopt;
}

}  // namespace

std::string_view name_of(StepKind kind) noexcept {
  switch (kind) {
    case StepKind::run:
      return "run";
    case StepKind::gate_approval:
      return "gate.approval";
    case StepKind::gate_policy:
      return "gate.policy";
    case StepKind::parallel:
      return "parallel";
    case StepKind::map:
      return "map";
    case StepKind::loop:
      return "loop";
    case StepKind::conditional:
      return "conditional";
    case StepKind::item:
      return "item";
  }
  return "run";
}

Step StepReader::step(const canon::Json& item, const std::string& pointer) {
  Section section(findings_, item, pointer);
  Step step;
  step.at = pointer;
  if (!section.is_mapping()) return step;
  step.id = section.word("id", Need::required, is_id, "a letter, then letters, digits, _ or -, at most 63 in all")
                .value_or("");
  if (step.id == "site")
    section.note("id", "`site` is the gate that a site policy may put before a pack; choose another id");
  if (const auto kind = read_kind(section, findings_)) {
    step.kind = *kind;
    if (step.kind == StepKind::run)
      read_run(section, findings_, defaults_, step);
    else if (step.kind == StepKind::gate_approval || step.kind == StepKind::gate_policy)
      read_gate(section, findings_, step);
    else
      group(section, step);
  }
  section.finish();
  return step;
}

std::vector<Step> StepReader::list(Section& owner, std::string_view name, Need need) {
  std::vector<Step> steps;
  owner.each(name, need, kMaxSteps, [&](const canon::Json& item, const std::string& pointer) {
    if (++count_ == kMaxSteps + 1) findings_.note(pointer, fmt::format("a pack has at most {} steps", kMaxSteps));
    if (count_ <= kMaxSteps) steps.push_back(step(item, pointer));
  });
  const canon::Json* value = owner.any(name);
  if (need == Need::required && value != nullptr && value->is_array() && value->empty())
    owner.note(name, fmt::format("`{}` has at least one step", name));
  return steps;
}

void read_steps_part(Section& spec, Findings& findings, Manifest& manifest) {
  const Defaults defaults = read_defaults(spec, findings);
  manifest.max_parallel = static_cast<int>(spec.integer("maxParallel", 1, 256).value_or(4));
  StepReader reader(findings, defaults);
  manifest.steps = reader.list(spec, "steps");
  manifest.at_end = reader.list(spec, "finally", Need::optional);
}

}  // namespace stella::pack
