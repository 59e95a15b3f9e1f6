// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/diff.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::plan {
namespace {

using canon::Json;

// What an item of a list is called: id or name; a host with its port and address; nothing when it has no name.
std::string label(const Json& item) {
  if (!item.is_object()) return {};
  for (const char* name : {"id", "name"})
    if (const auto found = item.find(name); found != item.end() && found->is_string()) return found->get<std::string>();
  if (!item.contains("host") || !item["host"].is_string()) return {};
  std::string host = item["host"].get<std::string>();
  if (item.contains("address") && item["address"].is_string()) host += " " + item["address"].get<std::string>();
  return host + " " + (item.contains("port") ? canon::canonical(item["port"]) : "");
}

// nullopt when an item has no name or two have the same: then the lists are compared whole.
std::optional<std::map<std::string, const Json*>> labelled(const Json& list) {
  std::map<std::string, const Json*> items;
  for (const Json& item : list) {
    const std::string name = label(item);
    if (name.empty() || !items.emplace(name, &item).second) return std::nullopt;
  }
  return items;
}

class Comparison {
 public:
  void compare(const std::string& place, const Json& before, const Json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return compare_members(place, before, after);
    if (before.is_array() && after.is_array()) {
      const auto old_items = labelled(before), new_items = labelled(after);
      if (old_items && new_items) return compare_items(place, *old_items, *new_items);
    }
    changes_.push_back({place, before, after});
  }

  std::vector<Change> take() { return std::move(changes_); }

 private:
  void compare_members(const std::string& place, const Json& before, const Json& after) {
    std::set<std::string> names;
    for (const Json* side : {&before, &after})
      for (const auto& [name, value] : side->items()) names.insert(name);
    for (const std::string& name : names) {
      const std::string shown = canon::printable(name, 80);
      const std::string inner = place.empty() ? shown : fmt::format("{}.{}", place, shown);
      compare_pair(inner, before.contains(name) ? &before.at(name) : nullptr,
                   after.contains(name) ? &after.at(name) : nullptr);
    }
  }

  void compare_items(const std::string& place, const std::map<std::string, const Json*>& before,
                     const std::map<std::string, const Json*>& after) {
    std::set<std::string> names;
    for (const auto* side : {&before, &after})
      for (const auto& [name, value] : *side) names.insert(name);
    const std::size_t so_far = changes_.size();
    for (const std::string& name : names) {
      const auto old_item = before.find(name), new_item = after.find(name);
      compare_pair(fmt::format("{}[{}]", place, canon::printable(name, 80)),
                   old_item == before.end() ? nullptr : old_item->second,
                   new_item == after.end() ? nullptr : new_item->second);
    }
    if (changes_.size() == so_far) changes_.push_back({place + " (order)", Json(nullptr), Json(nullptr)});
  }

  void compare_pair(const std::string& place, const Json* before, const Json* after) {
    if (before != nullptr && after != nullptr) return compare(place, *before, *after);
    changes_.push_back({place, before == nullptr ? std::nullopt : std::optional(*before),
                        after == nullptr ? std::nullopt : std::optional(*after)});
  }

  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> diff(const Json& before, const Json& after) {
  Comparison comparison;
  comparison.compare("", before, after);
  return comparison.take();
}

}  // namespace stella::plan
