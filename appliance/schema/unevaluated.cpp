// SPDX-License-Identifier: Apache-2.0
// unevaluatedItems, unevaluatedProperties: for what no keyword of this schema, or of one applied to the same value, has
// looked at.
#include "appliance/schema/site.hpp"

namespace stella::schema {
namespace {

bool check_child(Evaluation& evaluation, const Frame& frame, const Node& node, const Spot& spot) {
  evaluation.charge(1);
  if (frame.seen->contains(&spot.value)) return true;
  frame.mark(spot.value);
  return evaluation.run(node, spot, nullptr, frame.sink);
}

bool check_items(Evaluation& evaluation, const Frame& frame, const Node& node) {
  if (!frame.value().is_array()) return true;
  bool good = true;
  for (std::size_t i = 0; i < frame.value().size(); ++i)
    good = check_child(evaluation, frame, node, {frame.value()[i], &frame.spot, Spot::Kind::item, {}, i}) && good;
  return good;
}

bool check_members(Evaluation& evaluation, const Frame& frame, const Node& node) {
  if (!frame.value().is_object()) return true;
  bool good = true;
  for (const auto& [name, member] : frame.value().get_ref<const canon::Json::object_t&>())
    good = check_child(evaluation, frame, node, {member, &frame.spot, Spot::Kind::member, name}) && good;
  return good;
}

}  // namespace

void add_unevaluated(Site& site) {
  if (const Node* node = site.subschema("unevaluatedItems")) {
    site.want_seen();
    site.add([node](Evaluation& evaluation, const Frame& frame) { return check_items(evaluation, frame, *node); });
  }
  if (const Node* node = site.subschema("unevaluatedProperties")) {
    site.want_seen();
    site.add([node](Evaluation& evaluation, const Frame& frame) { return check_members(evaluation, frame, *node); });
  }
}

}  // namespace stella::schema
