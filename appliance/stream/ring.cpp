// SPDX-License-Identifier: Apache-2.0
#include "appliance/stream/ring.hpp"

#include <algorithm>
#include <bit>

namespace stella::stream {

void Ring::drop_oldest() {
  tail_ = ends_.front().offset;
  base_ = ends_.front().mark;
  ends_.pop_front();
}

void Ring::grow(std::size_t wanted) {
  if (wanted <= bytes_.size()) return;
  std::string larger(std::bit_ceil(std::max<std::size_t>(wanted, 4096)), '\0');
  for (std::uint64_t at = tail_; at < head_; ++at) larger[at % larger.size()] = bytes_[at % bytes_.size()];
  bytes_ = std::move(larger);
}

void Ring::append(std::string_view message, const Mark& end) {
  while (!ends_.empty() && head_ - tail_ + message.size() > capacity_) drop_oldest();
  grow(static_cast<std::size_t>(head_ - tail_) + message.size());
  const std::size_t at = head_ % bytes_.size(), first = std::min(message.size(), bytes_.size() - at);
  std::ranges::copy(message.substr(0, first), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(message.substr(first), bytes_.begin());
  head_ += message.size();
  ends_.push_back({head_, end});
}

std::optional<std::uint64_t> Ring::find(const Mark& mark) const {
  if (mark == base_) return tail_;
  const auto found = std::ranges::lower_bound(ends_, mark, {}, &End::mark);
  if (found == ends_.end() || found->mark != mark) return std::nullopt;
  return found->offset;
}

std::optional<Mark> Ring::mark_at(std::uint64_t offset) const {
  if (offset == tail_) return base_;
  const auto found = std::ranges::lower_bound(ends_, offset, {}, &End::offset);
  if (found == ends_.end() || found->offset != offset) return std::nullopt;
  return found->mark;
}

std::size_t Ring::copy(std::uint64_t offset, std::span<char> into) const {
  std::size_t count = std::min<std::uint64_t>(into.size(), head_ - offset);
  if (count == 0) return 0;
  // Up to the last message that ends within.
  const auto after = std::ranges::upper_bound(ends_, offset + count, {}, &End::offset);
  if (after != ends_.begin() && std::prev(after)->offset > offset)
    count = static_cast<std::size_t>(std::prev(after)->offset - offset);
  const std::size_t at = offset % bytes_.size(), first = std::min(count, bytes_.size() - at);
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), first, into.begin());
  std::copy_n(bytes_.begin(), count - first, into.begin() + static_cast<std::ptrdiff_t>(first));
  return count;
}

}  // namespace stella::stream
