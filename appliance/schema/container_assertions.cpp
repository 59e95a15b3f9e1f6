// SPDX-License-Identifier: Apache-2.0
// maxItems, minItems, uniqueItems, maxProperties, minProperties, required, dependentRequired and its old form.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "appliance/schema/site.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::schema {
namespace {

template <class Holds>
void add_size(Site& site, const char* keyword, canon::Json::value_t kind, const char* words, Holds holds) {
  const canon::Json* value = site.find(keyword);
  if (value == nullptr) return;
  const std::uint64_t bound = site.count(keyword, *value);
  site.add([=](Evaluation& evaluation, const Frame& frame) {
    return frame.value().type() != kind || holds(frame.value().size(), bound) || evaluation.fail(frame, keyword, [&] {
      return fmt::format("must have {} {} {}, not {}", words, bound,
                         kind == canon::Json::value_t::array ? "items" : "members", frame.value().size());
    });
  });
}

// Equal items end up side by side; the order of nlohmann is total where no number is NaN.
bool check_unique(Evaluation& evaluation, const Frame& frame) {
  if (!frame.value().is_array()) return true;
  const std::size_t rounds = static_cast<std::size_t>(std::bit_width(frame.value().size()));
  evaluation.charge(weight(frame.value()) * rounds / 4);
  std::vector<const canon::Json*> items;
  for (const canon::Json& item : frame.value()) items.push_back(&item);
  std::ranges::stable_sort(items, [](const auto* a, const auto* b) { return *a < *b; });
  const auto twin = std::ranges::adjacent_find(items, [](const auto* a, const auto* b) { return *a == *b; });
  return twin == items.end() || evaluation.fail(frame, "uniqueItems", [&] {
    const canon::Json* first = &frame.value()[0];
    return fmt::format("must not have an item twice: items {} and {} are {}", *twin - first, *std::next(twin) - first,
                       shown(**twin));
  });
}

bool check_required(Evaluation& evaluation, const Frame& frame, const char* keyword,
                    const std::vector<std::string>& names, std::string_view because) {
  evaluation.charge(names.size() / 4);
  bool good = true;
  for (const std::string& name : names) {
    if (frame.value().contains(name)) continue;
    good = evaluation.fail(frame, keyword, [&] {
      return fmt::format("must have `{}`{}", canon::printable(name, 60),
                         because.empty() ? "" : fmt::format(" because it has `{}`", canon::printable(because, 60)));
    });
    if (frame.sink == nullptr) return false;
  }
  return good;
}

void add_dependent(Site& site, const char* keyword) {
  const canon::Json* value = site.find(keyword);
  if (value == nullptr) return;
  if (!value->is_object()) site.refuse(keyword, fmt::format("`{}` is a mapping of lists of names", keyword));
  std::map<std::string, std::vector<std::string>> wanted;
  for (const auto& [name, list] : value->items()) {
    if (list.is_array() || std::string_view(keyword) == "dependentRequired") wanted[name] = site.names(keyword, list);
  }
  site.add([=](Evaluation& evaluation, const Frame& frame) {
    bool good = true;
    if (!frame.value().is_object()) return true;
    for (const auto& [name, names] : wanted)
      if (frame.value().contains(name)) good = check_required(evaluation, frame, keyword, names, name) && good;
    return good;
  });
}

}  // namespace

void add_container_assertions(Site& site) {
  using Kind = canon::Json::value_t;
  add_size(site, "minItems", Kind::array, "at least", std::greater_equal<>());
  add_size(site, "maxItems", Kind::array, "at most", std::less_equal<>());
  add_size(site, "minProperties", Kind::object, "at least", std::greater_equal<>());
  add_size(site, "maxProperties", Kind::object, "at most", std::less_equal<>());
  if (const auto* value = site.find("uniqueItems"); value != nullptr && site.truth("uniqueItems", *value))
    site.add(check_unique);
  if (const auto* value = site.find("required"))
    site.add([names = site.names("required", *value)](Evaluation& evaluation, const Frame& frame) {
      return !frame.value().is_object() || check_required(evaluation, frame, "required", names, "");
    });
  add_dependent(site, "dependentRequired");
  add_dependent(site, "dependencies");
}

}  // namespace stella::schema
