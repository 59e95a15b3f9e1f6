// SPDX-License-Identifier: Apache-2.0
// allOf, anyOf, oneOf, not, if/then/else, dependentSchemas: schemas applied to the same value. A schema that the value
// does not fit has evaluated nothing.
#include <fmt/format.h>

#include <map>

#include "appliance/schema/site.hpp"

namespace stella::schema {
namespace {

using Nodes = std::vector<const Node*>;

// What one branch of a choice says, for the message when none fits.
struct Branch {
  Seen seen;
  Sink sink{.limit = 1, .violations = {}};
  bool fits = false;
};

bool fits(Evaluation& evaluation, const Frame& frame, const Node& node) {
  Seen seen;
  const bool good = evaluation.run(node, frame.spot, frame.seen != nullptr ? &seen : nullptr, nullptr);
  if (good && frame.seen != nullptr) evaluation.merge(*frame.seen, seen);
  return good;
}

std::string why_none(Evaluation& evaluation, const Frame& frame, const Nodes& nodes) {
  constexpr std::size_t kMaxShown = 5;
  std::string all = fmt::format("fits none of the {} alternatives", nodes.size());
  for (std::size_t i = 0; i < nodes.size() && i < kMaxShown; ++i) {
    Branch branch;
    (void)evaluation.run(*nodes[i], frame.spot, frame.seen != nullptr ? &branch.seen : nullptr, &branch.sink);
    // What a failed branch has looked at is not reported once more as unevaluated; the verdict is out already.
    if (frame.seen != nullptr) evaluation.merge(*frame.seen, branch.seen);
    if (branch.sink.violations.empty()) continue;
    const Violation& first = branch.sink.violations.front();
    const std::string deeper = first.pointer.substr(std::min(first.pointer.size(), pointer_of(frame.spot).size()));
    all += fmt::format("{} {}) {}{}{}", i == 0 ? ":" : ";", i + 1, deeper, deeper.empty() ? "" : " ",
                       first.what.substr(0, 300));
  }
  return all;
}

bool check_all(Evaluation& evaluation, const Frame& frame, const Nodes& nodes) {
  bool good = true;
  for (const Node* node : nodes) {
    good = evaluation.run(*node, frame.spot, frame.seen, frame.sink) && good;
    if (!good && frame.sink == nullptr) return false;
  }
  return good;
}

bool check_any(Evaluation& evaluation, const Frame& frame, const Nodes& nodes) {
  bool good = false;
  for (const Node* node : nodes) {
    good = fits(evaluation, frame, *node) || good;
    if (good && frame.seen == nullptr) return true;
  }
  return good || evaluation.fail(frame, "anyOf", [&] { return why_none(evaluation, frame, nodes); });
}

bool check_one(Evaluation& evaluation, const Frame& frame, const Nodes& nodes) {
  std::size_t count = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < nodes.size() && count < 2; ++i) {
    if (!fits(evaluation, frame, *nodes[i])) continue;
    (count == 0 ? first : second) = i;
    ++count;
  }
  if (count == 1) return true;
  return evaluation.fail(frame, "oneOf", [&] {
    return count == 0 ? why_none(evaluation, frame, nodes)
                      : fmt::format("fits more than one of the {} alternatives: {} and {}", nodes.size(), first + 1,
                                    second + 1);
  });
}

void add_condition(Site& site) {
  const Node* condition = site.subschema("if");
  if (condition == nullptr) return;
  site.add([condition, then = site.subschema("then"), other = site.subschema("else")](Evaluation& evaluation,
                                                                                      const Frame& frame) {
    const Node* next = fits(evaluation, frame, *condition) ? then : other;
    return next == nullptr || evaluation.run(*next, frame.spot, frame.seen, frame.sink);
  });
}

void add_dependent(Site& site, const char* keyword) {
  const canon::Json* value = site.find(keyword);
  if (value == nullptr) return;
  std::map<std::string, const Node*> wanted;
  for (const auto& [name, schema] : value->get_ref<const canon::Json::object_t&>())
    if (!schema.is_array()) wanted.emplace(name, &site.at(schema));
  site.add([wanted](Evaluation& evaluation, const Frame& frame) {
    if (!frame.value().is_object()) return true;
    bool good = true;
    evaluation.charge(wanted.size() / 4);
    for (const auto& [name, node] : wanted)
      if (frame.value().contains(name)) good = evaluation.run(*node, frame.spot, frame.seen, frame.sink) && good;
    return good;
  });
}

}  // namespace

void add_choices(Site& site) {
  if (const Nodes nodes = site.subschemas("allOf"); !nodes.empty())
    site.add([nodes](Evaluation& evaluation, const Frame& frame) { return check_all(evaluation, frame, nodes); });
  if (const Nodes nodes = site.subschemas("anyOf"); !nodes.empty())
    site.add([nodes](Evaluation& evaluation, const Frame& frame) { return check_any(evaluation, frame, nodes); });
  if (const Nodes nodes = site.subschemas("oneOf"); !nodes.empty())
    site.add([nodes](Evaluation& evaluation, const Frame& frame) { return check_one(evaluation, frame, nodes); });
  if (const Node* node = site.subschema("not"))
    site.add([node](Evaluation& evaluation, const Frame& frame) {
      return !evaluation.run(*node, frame.spot, nullptr, nullptr) || evaluation.fail(frame, "not", [&] {
        return fmt::format("must not fit the schema under `not`, which {} does", shown(frame.value()));
      });
    });
  add_condition(site);
  add_dependent(site, "dependentSchemas");
  add_dependent(site, "dependencies");
}

}  // namespace stella::schema
