// SPDX-License-Identifier: Apache-2.0
#include "appliance/graph/fold.hpp"

#include <algorithm>
#include <deque>
#include <string_view>
#include <unordered_map>

namespace stella::graph {
namespace {

constexpr std::size_t kStandingOut = 10, kAround = 2, kAtAnEnd = 4;

using Members = std::unordered_map<std::string_view, std::vector<const Step*>>;

void count(Counts& counts, const std::string& state) {
  ++counts.all;
  if (is_done(state)) ++counts.done;
  if (state == "failed" || state == "unknown" || state == "rejected") ++counts.failed;
  if (state == "running" || state == "waiting") ++counts.running;
}
Counts counts_of(const std::vector<const Step*>& members) {
  Counts counts;
  for (const Step* one : members) count(counts, one->state);
  return counts;
}

// Which members of a large group are shown by themselves: those that stand out with their neighbours, else both ends.
std::vector<bool> chosen(const std::vector<const Step*>& members) {
  std::vector<bool> show(members.size(), false);
  std::size_t found = 0;
  for (std::size_t i = 0; i < members.size() && found < kStandingOut; ++i) {
    if (!stands_out(members[i]->state)) continue;
    ++found;
    const std::size_t from = i - std::min(i, kAround), to = std::min(members.size(), i + kAround + 1);
    std::fill(show.begin() + static_cast<std::ptrdiff_t>(from), show.begin() + static_cast<std::ptrdiff_t>(to), true);
  }
  if (found > 0) return show;
  for (std::size_t i = 0; i < std::min(kAtAnEnd, members.size()); ++i) show[i] = show[members.size() - 1 - i] = true;
  return show;
}

std::vector<Entry> entries_of(const std::vector<const Step*>& members, const Limits& limits) {
  std::vector<Entry> entries;
  const std::vector<bool> show =
      members.size() > limits.group ? chosen(members) : std::vector<bool>(members.size(), true);
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (show[i]) {
      entries.push_back({.step = members[i], .counts = {}});
      continue;
    }
    if (entries.empty() || entries.back().step != nullptr)
      entries.push_back({.step = nullptr, .counts = {}, .first = i});
    entries.back().stretched.push_back(members[i]);
    count(entries.back().counts, members[i]->state);
  }
  return entries;
}

}  // namespace

bool is_done(const std::string& state) {
  return state == "succeeded" || state == "continued" || state == "skipped" || state == "passed";
}
bool stands_out(const std::string& state) {
  return state == "failed" || state == "running" || state == "waiting" || state == "unknown" || state == "rejected";
}

Entry fold(const std::vector<Step>& steps, const Limits& limits) {
  Members members;
  for (const Step& one : steps) members[one.parent].push_back(&one);
  Entry root;
  root.counts = counts_of(members[""]);
  root.members = entries_of(members[""], limits);
  std::size_t shown = root.members.size();
  std::deque<Entry*> open;
  for (Entry& one : root.members) open.push_back(&one);
  // Outer groups first, so that what does not fit is deep down. Entries stay where they are once they are in a list.
  while (!open.empty()) {
    Entry& entry = *open.front();
    open.pop_front();
    const auto found = entry.step == nullptr ? members.end() : members.find(entry.step->id);
    if (found == members.end()) continue;
    entry.counts = counts_of(found->second);
    std::vector<Entry> inner = entries_of(found->second, limits);
    if (shown + inner.size() > limits.entries) {
      entry.folded = true;
      continue;
    }
    shown += inner.size();
    entry.members = std::move(inner);
    for (Entry& one : entry.members) open.push_back(&one);
  }
  return root;
}

}  // namespace stella::graph
