// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/bags.hpp"

#include <algorithm>

#include "bundles/canon/members.hpp"

namespace stella::journal {

void SealedBags::take(const Event& event) {
  if (event.type == "pack.evidence.sealed")
    bags_.push_back(
        {canon::text_in(event.data, "bag"), canon::text_in(event.data, "list"), event.attempt, false, false});
  if (event.type == "pack.evidence.exported") {
    for (SealedBag& bag : bags_) bag.exported = bag.exported || bag.list == canon::text_in(event.data, "list");
  }
  if (event.type == kArtifactsRemoved) {
    for (SealedBag& bag : bags_) bag.gone = true;
  }
}

const SealedBag* SealedBags::of(int attempt) const {
  const auto found =
      std::find_if(bags_.rbegin(), bags_.rend(), [&](const SealedBag& bag) { return bag.attempt == attempt; });
  return found == bags_.rend() ? nullptr : &*found;
}

bool SealedBags::has_unexported() const {
  return std::any_of(bags_.begin(), bags_.end(), [](const SealedBag& bag) { return !bag.exported && !bag.gone; });
}

bool SealedBags::is_exported(int attempt) const {
  const SealedBag* last = of(attempt);
  return last != nullptr && last->exported && !has_unexported();
}

SealedBags sealed_bags_of(const Journal& journal, const RunRow& row) {
  SealedBags bags;
  journal.for_each_event(row.id, 0, [&](const Event& event) { bags.take(event); });
  return bags;
}

}  // namespace stella::journal
