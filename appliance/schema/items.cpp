// SPDX-License-Identifier: Apache-2.0
// prefixItems and items in one pass over a list; contains with minContains and maxContains.
#include <fmt/format.h>

#include <optional>

#include "appliance/schema/site.hpp"

namespace stella::schema {
namespace {

bool check_items(Evaluation& evaluation, const Frame& frame, const std::vector<const Node*>& prefix,
                 const Node* others) {
  if (!frame.value().is_array()) return true;
  bool good = true;
  for (std::size_t i = 0; i < frame.value().size(); ++i) {
    const Node* node = i < prefix.size() ? prefix[i] : others;
    if (node == nullptr) break;
    const canon::Json& item = frame.value()[i];
    good = evaluation.run(*node, Spot{item, &frame.spot, Spot::Kind::item, {}, i}, nullptr, frame.sink) && good;
    if (!good && frame.sink == nullptr) return false;
    frame.mark(item);
  }
  return good;
}

struct Contains {
  const Node* node = nullptr;
  std::uint64_t least = 1;
  std::optional<std::uint64_t> most;

  bool check(Evaluation& evaluation, const Frame& frame) const {
    if (!frame.value().is_array()) return true;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < frame.value().size(); ++i) {
      const canon::Json& item = frame.value()[i];
      if (!evaluation.run(*node, Spot{item, &frame.spot, Spot::Kind::item, {}, i}, nullptr, nullptr)) continue;
      ++count;
      frame.mark(item);
    }
    if (count < least)
      return evaluation.fail(frame, least == 1 ? "contains" : "minContains", [&] {
        return fmt::format("must contain at least {} items that fit `contains`, not {}", least, count);
      });
    return !most || count <= *most || evaluation.fail(frame, "maxContains", [&] {
      return fmt::format("must contain at most {} items that fit `contains`, not {}", *most, count);
    });
  }
};

}  // namespace

void add_items(Site& site) {
  const auto prefix = site.subschemas("prefixItems");
  const Node* others = site.subschema("items");
  if (!prefix.empty() || others != nullptr)
    site.add([prefix, others](Evaluation& evaluation, const Frame& frame) {
      return check_items(evaluation, frame, prefix, others);
    });
  Contains contains;
  contains.node = site.subschema("contains");
  if (const auto* value = site.find("minContains")) contains.least = site.count("minContains", *value);
  if (const auto* value = site.find("maxContains")) contains.most = site.count("maxContains", *value);
  if (contains.node != nullptr)
    site.add([contains](Evaluation& evaluation, const Frame& frame) { return contains.check(evaluation, frame); });
}

}  // namespace stella::schema
