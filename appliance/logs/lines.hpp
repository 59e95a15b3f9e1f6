// SPDX-License-Identifier: Apache-2.0
// One try's text by the numbers of its lines, for people who look at a part of it. One thread; memory grows with what
// is asked for, never with the log. The indexes name a record before the stretch, at most some 64 KiB of the try away:
// a stretch costs little wherever it lies, the end too. Errors as Reader.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/logs/reader.hpp"

namespace stella::logs {

inline constexpr std::size_t kMaxLineShown = 64 << 10;  // bytes of a line that are given; the others are counted

struct TextLine {
  std::uint64_t number = 1;  // from 1
  Stream stream = Stream::out;
  clock::Time at{};
  std::string text = {};       // without its newline
  std::uint64_t left_out = 0;  // bytes
};
struct Stretch {
  std::vector<TextLine> lines = {};
  std::uint64_t total = 0;  // lines of the try so far; a last one without a newline counts
  bool has_ended = false;   // the try: there will be no more
};
struct OneTry {
  std::string folder, step;  // the run's logs/
  int number = 1;
};

// Lines `from` to `from` + `count` - 1, as far as there are.
[[nodiscard]] Stretch read_lines(const OneTry& one, std::uint64_t from, std::size_t count);
// The last `count`.
[[nodiscard]] Stretch read_end(const OneTry& one, std::size_t count);
// Their text alone, printable, at most max_bytes of each: for reports.
[[nodiscard]] std::vector<std::string> last_lines(const OneTry& one, std::size_t count, std::size_t max_bytes);
[[nodiscard]] std::uint64_t count_lines_of(const OneTry& one);
// Every line in order, until `take` says false. The line is valid during the call.
void for_each_line(const OneTry& one, const std::function<bool(const TextLine&)>& take);

}  // namespace stella::logs
