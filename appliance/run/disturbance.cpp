// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/disturbance.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stella::run {

using chaos::Hook;

Hooks::Hooks(Live& live)
    : Hooks(
          live.progress().chaos, [&live](const std::string& id) { return live.index().find(id); }, live.now()) {
  if (!all_.empty()) live.follow_steps();
}

Hooks::Hooks(const Record& record, clock::Time now)
    : Hooks(
          record.progress.chaos, [&record](const std::string& id) { return find_step(record.steps(), id); }, now) {}

bool Hooks::concerns(const chaos::Injection& injection, const plan::Step& step) const {
  if (injection.step.empty()) return true;
  for (const plan::Step* one = &step; one != nullptr; one = one->parent.empty() ? nullptr : find_(one->parent)) {
    if (one->id == injection.step) return true;
  }
  return false;
}

const chaos::Injection* Hooks::pause_due(const plan::Step* step) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const chaos::Injection& one) {
    if (one.hook != Hook::pause || one.is_spent || !chaos::is_active(one, now_)) return false;
    return one.step.empty() || (step != nullptr && concerns(one, *step));
  });
  return found == all_.end() ? nullptr : &*found;
}

bool Hooks::is_network_cut(const plan::Step& step) const {
  return std::any_of(all_.begin(), all_.end(), [&](const chaos::Injection& one) {
    return one.hook == Hook::drop_network && chaos::is_active(one, now_) && concerns(one, step);
  });
}

std::optional<clock::Time> Hooks::approvals_held_until(const plan::Step& gate) const {
  std::optional<clock::Time> until;
  for (const chaos::Injection& one : all_) {
    const bool holds = one.hook == Hook::delay_approvals && chaos::is_active(one, now_) && concerns(one, gate);
    if (holds) until = std::max(until.value_or(one.until), one.until);
  }
  return until;
}

fault::Error paused_by(const chaos::Injection& injection, const std::string& run) {
  const std::string where = injection.step.empty() ? "" : fmt::format(" before step {}", injection.step);
  return {
      fault::Code::pack_chaos_paused, "chaos", fmt::format("hook pause{}, injected by {}", where, injection.by),
      injection.step,
      fmt::format("Review the chaos plan, then `stella pack runs resume --run {0}` or `stella pack runs cancel --run "
                  "{0}`.",
                  run)};
}

}  // namespace stella::run
