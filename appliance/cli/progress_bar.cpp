// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace stella::cli {

using Clock = std::chrono::steady_clock;

ProgressBar::ProgressBar(std::string what, std::uint64_t total_bytes)
    : what_(std::move(what)),
      total_(std::max<std::uint64_t>(total_bytes, 1)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

void ProgressBar::update(std::uint64_t done_bytes) {
  const auto now = Clock::now();
  if (!terminal_ || now - start_ < std::chrono::seconds(1) || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done_bytes) / seconds,
               share = std::min(1.0, static_cast<double>(done_bytes) / static_cast<double>(total_));
  const double left = rate > 0 ? (static_cast<double>(total_) - static_cast<double>(done_bytes)) / rate : 0;
  const auto width = static_cast<std::size_t>(share * 30);
  const std::string line = fmt::format("\r{} [{:<30}] {:3.0f} %  {:.1f} MiB/s  {:.0f} s left \x1b[K", what_,
                                       std::string(width, '='), share * 100, rate / 1048576, std::max(left, 0.0));
  (void)!::write(STDERR_FILENO, line.data(), line.size());
  drawn_ = true;
}

void ProgressBar::finish() {
  if (drawn_) (void)!::write(STDERR_FILENO, "\r\x1b[K", 4);
  drawn_ = false;
}

}  // namespace stella::cli
