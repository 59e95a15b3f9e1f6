// SPDX-License-Identifier: Apache-2.0
#include "appliance/decision/book.hpp"

namespace stella::decision {

approval::Anchors anchors_now(const files::Home& home, const journal::Journal& journal, const std::string& run) {
  approval::Anchors anchors;
  if (!run.empty()) {
    const journal::Head head = journal.head(run);
    if (head.seq > 0) anchors.journal = {head.seq, head.hash};
  }
  if (const auto applied = site::load_applied(home)) anchors.site = {applied->policy.version, applied->policy.digest};
  return anchors;
}

}  // namespace stella::decision
