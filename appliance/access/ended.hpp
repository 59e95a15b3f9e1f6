// SPDX-License-Identifier: Apache-2.0
// The sessions that were logged out: access/ended.json {"schema":"stella.sessions.v1","before":TIME,"ended":[{"until",
// "nonce"},...]}, mode 0600, at most 10,000. Written under the lock of the tokens.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::access {

inline constexpr std::size_t kMaxEnded = 10000;

struct Ended {
  clock::Time before{};                                         // whatever ends no later counts as logged out
  std::set<std::pair<clock::Time, std::string>> sessions = {};  // when it would have ended, its nonce

  [[nodiscard]] bool contains(clock::Time until, const std::string& nonce) const {
    return until <= before || sessions.contains({until, nonce});
  }
  // None is dropped because it is over: a clock that leaps back would let it in again. Those that end first make room.
  void add(clock::Time until, const std::string& nonce);
  void merge(Ended other);

 private:
  void trim();
};

[[nodiscard]] std::string ended_path(const files::Home& home);
// Nothing has ended where there is no file. ERR_FILE_UNSUITABLE for one that no stella wrote; its fix says what to do.
[[nodiscard]] Ended load_ended(const files::Home& home);
void save_ended(const files::Home& home, const Ended& ended);

}  // namespace stella::access
