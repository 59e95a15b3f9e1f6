// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/log_query.hpp"

#include <fmt/format.h>
#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxPattern = 4096, kMaxText = 65536;

}  // namespace

std::unique_ptr<re2::RE2> pattern_of(Invocation& call) {
  const auto text = call.value("--grep");
  if (!text) return nullptr;
  if (text->size() > kMaxPattern)
    throw Error(Code::usage, "grep", fmt::format("a pattern has at most {} bytes", kMaxPattern), "--grep");
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_unique<re2::RE2>(*text, options);
  if (!pattern->ok())
    throw Error(
        Code::usage, "grep",
        fmt::format("`{}` is no pattern: {}", canon::printable(*text, 200), canon::printable(pattern->error(), 200)),
        "--grep", "Patterns are RE2's: no look-around, no back references; escape ( [ . * + ? with \\.");
  return pattern;
}

std::optional<clock::Time> since_of(Invocation& call) {
  const auto text = call.value("--since");
  if (!text) return std::nullopt;
  if (text->size() > 10 && (*text)[4] == '-') return clock::parse_time(*text, Code::usage, "--since");
  return call.clock().now() - clock::parse_duration(*text, Code::usage, "--since");
}

std::string shown_line(std::string_view line) {
  std::string text;
  for (std::size_t from = 0; from <= line.size();) {
    const std::size_t tab = std::min(line.find('\t', from), line.size());
    text += canon::printable(line.substr(from, tab - from), 65536);
    if (tab < line.size()) text += '\t';
    from = tab + 1;
  }
  return text;
}

bool is_wanted(std::string_view asked, std::string_view step) {
  return asked.empty() || step == asked || (step.starts_with(asked) && step.substr(asked.size()).starts_with("[")) ||
         (step.starts_with(asked) && step.substr(asked.size()).starts_with("::"));
}

bool matches_line(const re2::RE2& pattern, std::string_view line) {
  return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), pattern);
}

LogPlace::LogPlace(const journal::RunRow& row) : run(row.id), pack(row.pack + ":" + row.version), tenant(row.tenant) {}

canon::Json log_row(const LogPlace& place, const LogLine& line) {
  const std::string step(line.step);
  return {{"runId", place.run},
          {"packId", place.pack},
          {"tenant", place.tenant},
          {"stepId", step},
          {"step", step},
          {"try", line.number},
          {"stream", line.stream == logs::Stream::out ? "out" : "err"},
          {"at", clock::format_millis(line.at)},
          {"line", line.line},
          {"text", canon::printable(line.text, kMaxText)}};
}

}  // namespace stella::cli
