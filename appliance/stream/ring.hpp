// SPDX-License-Identifier: Apache-2.0
// The last messages of one channel, serialised once for all its viewers; a viewer is an offset into it. Bounded: new
// messages push the oldest out. Not for two threads at once.
//
// Offsets count the bytes since the ring was made and never go back.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "appliance/stream/mark.hpp"

namespace stella::stream {

class Ring {
 public:
  // `base`: the mark before the first message.
  Ring(std::size_t capacity, Mark base) : capacity_(capacity), base_(base) {}

  void append(std::string_view message, const Mark& end);              // message: at most the capacity
  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_; }  // of the oldest byte that is kept
  [[nodiscard]] std::uint64_t head() const noexcept { return head_; }  // after the newest
  [[nodiscard]] const Mark& base() const noexcept { return base_; }    // before the oldest message
  [[nodiscard]] const Mark& last() const noexcept { return ends_.empty() ? base_ : ends_.back().mark; }
  // The offset after the message that ends with `mark`; nothing when it is not kept.
  [[nodiscard]] std::optional<std::uint64_t> find(const Mark& mark) const;
  // The mark at an offset between two messages; nothing within one.
  [[nodiscard]] std::optional<Mark> mark_at(std::uint64_t offset) const;
  // Copies from `offset`, which is kept: whole messages where at least one fits, else a part of one.
  [[nodiscard]] std::size_t copy(std::uint64_t offset, std::span<char> into) const;

 private:
  struct End {
    std::uint64_t offset;
    Mark mark;
  };
  void drop_oldest();
  void grow(std::size_t wanted);
  std::size_t capacity_;
  Mark base_;
  std::uint64_t tail_ = 0, head_ = 0;
  std::string bytes_{};  // a power of two long; the byte of an offset lies at offset % size
  std::deque<End> ends_{};
};

}  // namespace stella::stream
