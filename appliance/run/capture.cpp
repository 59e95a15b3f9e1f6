// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/capture.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::run {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;  // a longer one is passed on in pieces
constexpr auto kSayEvery = std::chrono::seconds(2);

}  // namespace

Capture::Capture(Sink& sink, logs::Writer& writer, const clock::Clock& clock, std::string step, int attempt,
                 std::string log, const redaction::Patterns& patterns)
    : sink_(&sink),
      clock_(&clock),
      step_(std::move(step)),
      name_(std::move(log)),
      attempt_(attempt),
      log_(writer.begin(step_, attempt)),
      out_(patterns, [this](std::string_view bytes) { assemble(out_lines_, bytes); }),
      err_(patterns, [this](std::string_view bytes) { assemble(err_lines_, bytes); }),
      last_said_(std::chrono::steady_clock::now()) {}

void Capture::output(sandbox::Stream stream, std::string_view bytes) {
  const bool is_out = stream == sandbox::Stream::out;
  (is_out ? out_ : err_).write(bytes);
  flush(is_out ? out_lines_ : err_lines_);
  if (std::chrono::steady_clock::now() - last_said_ >= kSayEvery) say_part();
}

// Whole lines go on together; what has no newline yet is held, up to a bound.
void Capture::assemble(Lines& lines, std::string_view bytes) {
  const auto end = bytes.rfind('\n');
  if (end != std::string_view::npos) {
    lines.whole += lines.held;
    lines.whole += bytes.substr(0, end + 1);
    lines.held.clear();
    bytes.remove_prefix(end + 1);
  }
  lines.held += bytes;
  if (lines.held.size() < kMaxLine) return;
  lines.whole += lines.held;
  lines.held.clear();
}

void Capture::flush(Lines& lines) {
  if (lines.whole.empty()) return;
  log_.append(lines.stream, lines.whole, clock_->now());
  show(lines.whole);
  lines.whole.clear();
}

void Capture::show(std::string_view lines) {
  if (!sink_->wants_lines()) return;
  while (!lines.empty()) {
    const auto end = std::min({lines.find('\n'), kMaxLine, lines.size()});
    std::string shown;
    for (const char letter : lines.substr(0, end)) {
      if (letter == '\t') {
        shown.append(4, ' ');
      } else {
        shown += letter;
      }
    }
    lines.remove_prefix(end < lines.size() && lines[end] == '\n' ? end + 1 : end);
    sink_->line(canon::printable(shown));
  }
}

// Anchors the log so far: after a kill it is known up to here.
void Capture::say_part() {
  last_said_ = std::chrono::steady_clock::now();
  const logs::Part part = log_.part();
  if (part.size_bytes == 0) return;
  sink_->part({{"try", attempt_},
               {"log", name_},
               {"offset", part.offset},
               {"bytes", part.size_bytes},
               {"sha256", part.digest}});
}

void Capture::blocked(const sandbox::Blocked& first_seen) {
  const std::string where = first_seen.host.empty() ? first_seen.address : first_seen.host;
  sink_->note(fmt::format("{}: blocked: {} tried {} {} port {}", step_, canon::printable(first_seen.program),
                          first_seen.protocol, canon::printable(where), first_seen.port));
}

bool Capture::stop_requested() {
  return sink_->stop_requested();
}

bool Capture::network_is_cut() {
  return sink_->network_is_cut();
}

Capture::Log Capture::finish() {
  out_.finish();
  err_.finish();
  for (Lines* lines : {&out_lines_, &err_lines_}) {
    lines->whole += lines->held;
    lines->held.clear();
    flush(*lines);
  }
  say_part();
  return log_.finish(clock_->now());
}

}  // namespace stella::run
