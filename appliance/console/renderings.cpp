// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/renderings.hpp"

#include <algorithm>

namespace stella::console {

using std::chrono::steady_clock;

std::string Renderings::get(const Wish& wish, const std::function<std::string()>& make) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(kept_, wish.key, &Kept::key);
    if (found != kept_.end() && found->stamp == wish.stamp && steady_clock::now() < found->until) {
      kept_.splice(kept_.begin(), kept_, found);
      return kept_.front().text;
    }
    ++made_;
  }
  std::string text = make();
  if (text.size() <= kMaxText) keep({wish.key, wish.stamp, text, steady_clock::now() + wish.longest});
  return text;
}

void Renderings::keep(Kept fresh) {
  const std::lock_guard lock(mutex_);
  const auto drop = [this](std::list<Kept>::iterator one) {
    bytes_ -= one->text.size() + one->key.size() + one->stamp.size();
    kept_.erase(one);
  };
  if (const auto old = std::ranges::find(kept_, fresh.key, &Kept::key); old != kept_.end()) drop(old);
  bytes_ += fresh.text.size() + fresh.key.size() + fresh.stamp.size();
  kept_.push_front(std::move(fresh));
  while (bytes_ > kMaxBytes) drop(std::prev(kept_.end()));
}

std::uint64_t Renderings::made() {
  const std::lock_guard lock(mutex_);
  return made_;
}

std::size_t Renderings::bytes() {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace stella::console
