// SPDX-License-Identifier: Apache-2.0
// A bar with rate and time left on standard error, for work over a second on a terminal; nothing elsewhere. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace stella::cli {

class ProgressBar {
 public:
  ProgressBar(std::string what, std::uint64_t total_bytes);
  void update(std::uint64_t done_bytes);
  void finish();

 private:
  std::string what_;
  std::uint64_t total_;
  bool terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace stella::cli
