// SPDX-License-Identifier: Apache-2.0
// What one evaluation may cost. One per evaluation, one thread.
#pragma once

#include <cstddef>
#include <string>

#include "bundles/canon/json.hpp"

namespace stella::expression {

inline constexpr std::size_t kMaxSteps = 500'000;                 // nodes, elements looked at, 64 bytes of text each
inline constexpr std::size_t kMaxMemory = std::size_t{16} << 20;  // bytes of values made on the way, all together
inline constexpr std::size_t kMaxResult = std::size_t{4} << 20;   // bytes of the result as JSON
inline constexpr int kMaxResultDepth = 64;

// Each throws ERR_PACK_INVALID, reason expression-budget, when the budget is spent.
class Meter {
 public:
  explicit Meter(const std::string& at) : at_(at) {}
  void step(std::size_t count = 1) {
    if (count > steps_) refuse_steps();
    steps_ -= count;
  }
  void text(std::size_t bytes) { step(1 + bytes / 64); }
  void memory(std::size_t bytes) {
    if (bytes > memory_) refuse_memory();
    memory_ -= bytes;
  }
  [[nodiscard]] std::size_t memory_left() const { return memory_; }
  void give_back(std::size_t memory_left_before) { memory_ = memory_left_before; }
  // A copy of `value`: its memory, and a step for each value in it.
  void copy(const canon::Json& value);
  // The bytes of `value` as JSON, refused beyond `limit` and beyond kMaxResultDepth levels.
  std::size_t measure(const canon::Json& value, std::size_t limit);

 private:
  [[noreturn]] void refuse_steps() const;
  [[noreturn]] void refuse_memory() const;
  void measure(const canon::Json& value, std::size_t& left, int depth);

  const std::string& at_;
  std::size_t steps_ = kMaxSteps, memory_ = kMaxMemory;
};

}  // namespace stella::expression
