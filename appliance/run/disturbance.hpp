// SPDX-License-Identifier: Apache-2.0
// What the chaos hooks of a run mean for its runner, step by step. One thread.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "appliance/run/live.hpp"

namespace stella::run {

// The hooks as they are at one moment.
class Hooks {
 public:
  using Find = std::function<const plan::Step*(const std::string& id)>;  // null: not known
  Hooks(std::span<const chaos::Injection> all, Find find, clock::Time now)
      : all_(all), find_(std::move(find)), now_(now) {}
  explicit Hooks(Live& live);
  explicit Hooks(const Record& record, clock::Time now);

  // A hook that names a step is meant for it and for all that stands in it.
  [[nodiscard]] bool concerns(const chaos::Injection& injection, const plan::Step& step) const;
  // The pause that is due and has not paused the run yet: of the whole run (step null), or before this step too.
  [[nodiscard]] const chaos::Injection* pause_due(const plan::Step* step) const;
  [[nodiscard]] bool is_network_cut(const plan::Step& step) const;
  // Until when responses count as not arrived at this gate's step.
  [[nodiscard]] std::optional<clock::Time> approvals_held_until(const plan::Step& gate) const;

 private:
  std::span<const chaos::Injection> all_;
  Find find_;
  clock::Time now_;
};

// ERR_PACK_CHAOS_PAUSED reason `chaos`, at the hook's step.
[[nodiscard]] fault::Error paused_by(const chaos::Injection& injection, const std::string& run);

}  // namespace stella::run
