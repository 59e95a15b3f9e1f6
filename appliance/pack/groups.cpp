// SPDX-License-Identifier: Apache-2.0
// parallel, map, loop and conditional.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/step_parts.hpp"

namespace stella::pack {
namespace {

constexpr int kMaxAtOnce = 256;
constexpr std::size_t kMaxCases = 100;

// An integer, or a share of the members such as "10%".
std::optional<MaxFailures> parse_failures(const canon::Json& value) {
  if (value.is_number_integer() && value >= 0 && value <= kMaxTurns) return MaxFailures{value.get<int>(), false};
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() < 2 || text.size() > 4 || text.back() != '%') return std::nullopt;
  const std::string number = text.substr(0, text.size() - 1);
  if (number.find_first_not_of("0123456789") != std::string::npos || std::stoi(number) > 100) return std::nullopt;
  return MaxFailures{std::stoi(number), true};
}

bool holds_template(const canon::Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().find("${{") != std::string::npos;
  if (!value.is_structured()) return false;
  for (const canon::Json& each : value)
    if (holds_template(each)) return true;
  return false;
}

}  // namespace

void StepReader::failures(Section& group, Step& step) {
  step.max_parallel = static_cast<int>(group.integer("maxParallel", 1, kMaxAtOnce).value_or(0));
  step.fail_fast = group.boolean("failFast").value_or(false);
  const canon::Json* value = group.any("maxFailures");
  if (value == nullptr) return;
  if (const auto read = parse_failures(*value))
    step.max_failures = *read;
  else
    group.note("maxFailures", "`maxFailures` is how many may fail, or a share of them such as \"10%\"");
}

void StepReader::iterators(Section& group, Step& step) {
  constexpr const char* kRule = "a letter, then letters, digits or _, at most 63 in all";
  const auto good = [](std::string_view text) { return is_id(text) && text.find('-') == text.npos; };
  step.iterator = group.word("iterator", Need::optional, good, kRule).value_or("item");
  step.index = group.word("index", Need::optional, good, kRule).value_or("");
  if (step.index == step.iterator) group.note("index", "`iterator` and `index` need two names");
}

// One of `forms` says what to go over.
void StepReader::items(Section& group, Step& step, const std::vector<const char*>& forms) {
  std::vector<std::string> found;
  for (const char* form : forms)
    if (group.any(form) != nullptr) found.emplace_back(form);
  if (found.size() > 1)
    return findings_.note(group.pointer(), fmt::format("only one of {} can stand here", fmt::join(found, " and ")));
  if (found.empty()) return;
  const canon::Json& value = *group.any(found[0]);
  if (found[0] == "range") {
    const auto is_bound = [](const canon::Json& each) {
      return each.is_number_integer() && each >= -1000000000 && each <= 1000000000;
    };
    if (!value.is_array() || value.size() != 2 || !is_bound(value[0]) || !is_bound(value[1]) || value[0] > value[1])
      return group.note("range", "`range` is [first, last], two integers in order");
    step.items.range = {value[0].get<std::int64_t>(), value[1].get<std::int64_t>()};
    if (step.items.range->second - step.items.range->first >= step.max_turns)
      group.note("range", fmt::format("`range` has more than {} turns", step.max_turns));
  } else if (value.is_string() && found[0] == "items") {
    if (value.get_ref<const std::string&>().find("${{") == std::string::npos)
      return group.note("items", "`items` is a list, or an expression in `${{ }}` that gives one");
    step.items.expression = read_expression(group, "items");
  } else if (!value.is_array()) {
    group.note(found[0], fmt::format("`{}` must be a list{}", found[0],
                                     found[0] == "items" ? ", or an expression in `${{ }}` that gives one" : ""));
  } else {
    step.items.fixed = value;
    if (holds_template(value)) group.note(found[0], "a list is taken as it is; it holds no `${{ }}`");
    if (value.size() > static_cast<std::size_t>(step.max_turns))
      group.note(found[0], fmt::format("`{}` has more than {} items", found[0], step.max_turns));
  }
}

void StepReader::parallel(Section& group, Step& step) {
  failures(group, step);
  step.steps = list(group, "steps");
}

void StepReader::map(Section& group, Step& step) {
  iterators(group, step);
  failures(group, step);
  step.max_turns = static_cast<int>(group.integer("maxItems", 1, kMaxTurns).value_or(1000));
  items(group, step, {"items"});
  (void)group.any("items", Need::required);
  step.steps = list(group, "steps");
}

void StepReader::loop(Section& group, Step& step) {
  iterators(group, step);
  step.max_turns = static_cast<int>(group.integer("maxIterations", 1, kMaxTurns).value_or(1000));
  step.max_parallel = 1;
  step.until = read_expression(group, "until");
  step.delay = group.duration("delay").value_or(clock::Duration::zero());
  items(group, step, {"items", "range", "static"});
  if (!group.has("items") && !group.has("range") && !group.has("static")) {
    if (group.has("until") && group.has("maxIterations"))
      step.items.range = {1, step.max_turns};
    else
      findings_.note(group.pointer(), "a loop has `items`, `range` or `static`, or `until` with `maxIterations`");
  }
  step.steps = list(group, "steps");
}

void StepReader::conditional(Section& group, Step& step) {
  group.each("cases", Need::required, kMaxCases, [&](const canon::Json& item, const std::string& pointer) {
    Section section(findings_, item, pointer);
    Case one;
    one.when = read_expression(section, "when", Need::required);
    one.steps = list(section, "steps");
    section.finish();
    step.cases.push_back(std::move(one));
  });
  if (const canon::Json* cases = group.any("cases"); cases != nullptr && cases->is_array() && cases->empty())
    group.note("cases", "a conditional has at least one case");
  step.otherwise = list(group, "else", Need::optional);
}

void StepReader::group(Section& section, Step& step) {
  const std::string name(name_of(step.kind));
  step.when = read_expression(section, "when");
  step.needs = section.texts("needs", kMaxSteps);
  step.timeout = section.duration("timeout").value_or(clock::Duration::zero());
  step.continue_on_error = section.boolean("continueOnError").value_or(false);
  Section inner(findings_, *section.any(name), section.pointer_to(name));
  if (!inner.is_mapping()) return;
  if (depth_ >= kMaxNesting)
    return findings_.note(inner.pointer(), fmt::format("groups are nested more than {} levels deep", kMaxNesting));
  ++depth_;
  if (step.kind == StepKind::parallel) parallel(inner, step);
  if (step.kind == StepKind::map) map(inner, step);
  if (step.kind == StepKind::loop) loop(inner, step);
  if (step.kind == StepKind::conditional) conditional(inner, step);
  --depth_;
  inner.finish();
}

}  // namespace stella::pack
