// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/scopes.hpp"

#include <algorithm>

namespace stella::pack {
namespace {

constexpr std::size_t kBits = 64;

// Those that are done before step `number`, from what is known of the steps before it. A step needs only steps that
// stand before it; others are a problem that somebody else notes.
std::size_t prefix_of(const List& list, std::size_t number) {
  const Step& step = *list.places[number]->step;
  if (!step.needs) return list.in_order ? number : 0;
  std::size_t prefix = 0;
  for (const std::string& need : *step.needs) {
    const auto found = list.numbers.find(need);
    if (found == list.numbers.end() || found->second >= number) continue;
    const std::size_t theirs = list.prefix[found->second];
    prefix = std::max(prefix, theirs == found->second ? theirs + 1 : theirs);
  }
  return prefix;
}

void fill_rows(List& list) {
  for (std::size_t i = 0; i < list.places.size(); ++i) {
    std::vector<std::uint64_t> row(i / kBits + 1);
    for (std::size_t j = 0; j < list.prefix[i]; ++j) row[j / kBits] |= std::uint64_t{1} << (j % kBits);
    if (const auto& needs = list.places[i]->step->needs)
      for (const std::string& need : *needs) {
        const auto found = list.numbers.find(need);
        if (found == list.numbers.end() || found->second >= i) continue;
        const auto& theirs = list.rows[found->second];
        for (std::size_t word = 0; word < theirs.size(); ++word) row[word] |= theirs[word];
        row[found->second / kBits] |= std::uint64_t{1} << (found->second % kBits);
      }
    list.rows.push_back(std::move(row));
  }
}

bool comes_before(List& list, std::size_t target, std::size_t reader) {
  if (target >= reader) return false;
  if (target < list.prefix[reader]) return true;
  if (list.rows.empty()) fill_rows(list);
  return (list.rows[reader][target / kBits] >> (target % kBits) & 1) != 0;
}

const Place& outermost(const Place& place) {
  const Place* at = &place;
  while (at->parent != nullptr) at = at->parent;
  return *at;
}

}  // namespace

const Place* Scope::find(std::string_view id) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->around)
    if (const auto found = scope->steps.find(id); found != scope->steps.end()) return found->second;
  return nullptr;
}

bool Scope::has_iterator(std::string_view name) const {
  for (const Scope* scope = this; scope->owner != nullptr; scope = scope->around)
    if (scope->owner->iterator == name || (!name.empty() && scope->owner->index == name)) return true;
  return false;
}

std::vector<std::string> Scope::names(bool outwards) const {
  std::vector<std::string> all;
  for (const Scope* scope = this; scope != nullptr; scope = outwards ? scope->around : nullptr)
    for (const auto& [id, place] : scope->steps) all.emplace_back(id);
  std::ranges::sort(all);
  return all;
}

Scopes::Scopes(const Manifest& manifest) {
  scopes_.emplace_back();
  add(manifest.steps, nullptr, scopes_.front(), true, false);
  add(manifest.at_end, nullptr, scopes_.front(), true, true);
}

void Scopes::add(const std::vector<Step>& steps, const Place* parent, Scope& scope, bool in_order, bool at_end) {
  List& list = lists_.emplace_back();
  list.in_order = in_order;
  list.at_end = at_end && parent == nullptr;
  for (const Step& step : steps) {
    Place& place = places_.emplace_back(Place{&step, parent, &list, list.places.size(), &scope});
    if (!step.id.empty()) {
      if (scope.find(step.id) != nullptr)
        repeated_.push_back(&place);
      else
        scope.steps.emplace(step.id, &place);
      list.numbers.emplace(step.id, place.number);
    }
    list.places.push_back(&place);
    list.prefix.push_back(prefix_of(list, place.number));
    add_members(place, scope, at_end);
  }
}

void Scopes::add_members(const Place& place, Scope& scope, bool at_end) {
  const Step& step = *place.step;
  if (step.kind == StepKind::parallel) add(step.steps, &place, scope, false, at_end);
  if (step.kind == StepKind::conditional) {
    for (const Case& each : step.cases) add(each.steps, &place, scope, true, at_end);
    add(step.otherwise, &place, scope, true, at_end);
  }
  if (step.kind != StepKind::map && step.kind != StepKind::loop) return;
  Scope& body = scopes_.emplace_back();
  body.around = &scope;
  body.owner = &step;
  bodies_.emplace(&step, &body);
  add(step.steps, &place, body, true, at_end);
}

const Scope* Scopes::body_of(const Place& loop) const {
  const auto found = bodies_.find(loop.step);
  return found == bodies_.end() ? loop.scope : found->second;
}

bool Scopes::is_done_before(const Place& target, const Place& reader) {
  for (const Place* at = &reader; at != nullptr; at = at->parent)
    for (const Place* wanted = &target; wanted != nullptr; wanted = wanted->parent)
      if (wanted->list == at->list) return comes_before(*at->list, wanted->number, at->number);
  return outermost(reader).list->at_end && !outermost(target).list->at_end;
}

bool Scopes::is_done_after_turn(const Place& target, const Place& loop) {
  for (const Place* wanted = target.parent; wanted != nullptr; wanted = wanted->parent)
    if (wanted == &loop) return true;
  return is_done_before(target, loop);
}

}  // namespace stella::pack
