// SPDX-License-Identifier: Apache-2.0
// What was made for one viewer of a run serves the others: a text with the state of things it was made from, kept until
// that has changed or its time is over. Any thread.
//
// Bounded: 32 MiB in all, those used longest ago go first; a text of more than 8 MiB is not kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>

namespace stella::console {

class Renderings {
 public:
  static constexpr std::size_t kMaxBytes = 32 << 20, kMaxText = 8 << 20;
  struct Wish {
    std::string key;    // what is asked for, and everything about who asks that the text shows or leaves out
    std::string stamp;  // all that the text is made from; to be read before `make` does
    std::chrono::milliseconds longest{1000};  // of what time itself changes
  };
  // The text that is kept for this key and stamp, else what `make` gives. What `make` throws is not kept.
  [[nodiscard]] std::string get(const Wish& wish, const std::function<std::string()>& make);
  [[nodiscard]] std::uint64_t made();  // how often `make` was called
  [[nodiscard]] std::size_t bytes();   // that are kept

 private:
  struct Kept {
    std::string key, stamp, text;
    std::chrono::steady_clock::time_point until;
  };
  void keep(Kept fresh);
  std::mutex mutex_;
  std::list<Kept> kept_;  // the last used first
  std::size_t bytes_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace stella::console
