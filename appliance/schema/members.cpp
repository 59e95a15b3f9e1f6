// SPDX-License-Identifier: Apache-2.0
// properties, patternProperties, additionalProperties in one pass over the members; propertyNames.
#include <fmt/format.h>

#include <map>

#include "appliance/schema/site.hpp"

namespace stella::schema {
namespace {

struct Members {
  std::map<std::string, const Node*, std::less<>> named;
  std::vector<std::pair<const Pattern*, const Node*>> patterns;
  const Node* others = nullptr;

  bool check(Evaluation& evaluation, const Frame& frame) const {
    if (!frame.value().is_object()) return true;
    bool good = true;
    for (const auto& [name, member] : frame.value().get_ref<const canon::Json::object_t&>()) {
      good = check_member(evaluation, frame, name, member) && good;
      if (!good && frame.sink == nullptr) return false;
    }
    return good;
  }

 private:
  bool check_member(Evaluation& evaluation, const Frame& frame, const std::string& name,
                    const canon::Json& member) const {
    evaluation.charge(1);
    const Spot spot{member, &frame.spot, Spot::Kind::member, name};
    bool good = true, is_known = false;
    if (const auto found = named.find(name); found != named.end()) {
      is_known = true;
      good = evaluation.run(*found->second, spot, nullptr, frame.sink);
    }
    for (const auto& [pattern, node] : patterns) {
      evaluation.charge_match(*pattern, name);
      if (!pattern->matches(name)) continue;
      is_known = true;
      good = evaluation.run(*node, spot, nullptr, frame.sink) && good;
    }
    if (!is_known && others != nullptr) good = evaluation.run(*others, spot, nullptr, frame.sink);
    if (is_known || others != nullptr) frame.mark(member);
    return good;
  }
};

bool check_names(Evaluation& evaluation, const Frame& frame, const Node& node) {
  if (!frame.value().is_object()) return true;
  bool good = true;
  for (const auto& [name, member] : frame.value().get_ref<const canon::Json::object_t&>()) {
    const canon::Json text = name;
    good = evaluation.run(node, Spot{text, &frame.spot, Spot::Kind::name, name}, nullptr, frame.sink) && good;
  }
  return good;
}

}  // namespace

void add_members(Site& site) {
  Members members;
  if (const auto* value = site.find("properties"))
    for (const auto& [name, schema] : value->get_ref<const canon::Json::object_t&>())
      members.named.emplace(name, &site.at(schema));
  if (const auto* value = site.find("patternProperties"))
    for (const auto& [source, schema] : value->get_ref<const canon::Json::object_t&>())
      members.patterns.emplace_back(&site.pattern("patternProperties", source), &site.at(schema));
  members.others = site.subschema("additionalProperties");
  if (!members.named.empty() || !members.patterns.empty() || members.others != nullptr)
    site.add([members](Evaluation& evaluation, const Frame& frame) { return members.check(evaluation, frame); });
  if (const Node* node = site.subschema("propertyNames"))
    site.add([node](Evaluation& evaluation, const Frame& frame) { return check_names(evaluation, frame, *node); });
}

}  // namespace stella::schema
