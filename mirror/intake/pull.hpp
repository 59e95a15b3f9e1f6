// SPDX-License-Identifier: Apache-2.0
// Bringing a bundle into the registry. One writer per home (flock on mirror/lock); one thread.
//
// Order: identity and trusted root, medium opened, TUF verified in memory, packs chosen, room checked; only then bytes
// are stored, hashed while they stream; then one transaction makes the generation current, index.json and metadata/
// follow, and a signed receipt. What was stored before an interruption is kept and not read again. A refused pull
// changes nothing that is served and leaves quarantine/<import>/reason.json and a receipt. Errors: the contract's
// ERR_MIRROR_* codes, ERR_NO_SPACE and ERR_MEDIA_GONE (run it again), ERR_MIRROR_BUSY, ERR_KEY_UNUSABLE reason
// identity.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "mirror/catalog/catalog.hpp"

namespace stella::intake {

struct PullRequest {
  const files::Home& home;
  std::string from;     // empty: the only mounted medium with a bundle; files::named() when it is an operator's
  std::string by = {};  // who brings it, for the receipt
  const clock::Clock& clock;
  std::function<void(const std::string&)> note;  // progress, for people
};
enum class Outcome { accepted, unchanged };
struct PullResult {
  Outcome outcome = Outcome::unchanged;
  std::string source;
  std::int64_t generation = 0, previous = 0;
  std::vector<std::string> added;  // NAME:VERSION that were not held before
  std::vector<catalog::Skipped> skipped;
  std::uint64_t stored_blobs = 0, stored_bytes = 0, kept_blobs = 0;
  clock::Duration age{};
  bool is_old = false;               // past the site's mirror.warnAge
  std::vector<std::string> expired;  // roles that only mirror.maxAge let pass
};
[[nodiscard]] PullResult pull(const PullRequest& request);

}  // namespace stella::intake
