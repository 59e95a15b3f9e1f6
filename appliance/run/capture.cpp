// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/capture.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "appliance/run/stop.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;  // a longer one is passed on in pieces
constexpr auto kSayEvery = std::chrono::seconds(2);

files::Fd make_log(const std::string& path) {
  files::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "making the log", path);
  return fd;
}

}  // namespace

Capture::Capture(Live& live, std::string step, int attempt, std::string log, const redaction::Patterns& patterns)
    : live_(&live),
      step_(std::move(step)),
      log_(std::move(log)),
      attempt_(attempt),
      file_(make_log(live.folder() + "/" + log_)),
      out_(patterns, [this](std::string_view bytes) { assemble(out_lines_, bytes); }),
      err_(patterns, [this](std::string_view bytes) { assemble(err_lines_, bytes); }),
      last_said_(std::chrono::steady_clock::now()) {
  files::sync_folder(live.folder() + "/logs");
}

void Capture::output(sandbox::Stream stream, std::string_view bytes) {
  (stream == sandbox::Stream::out ? out_ : err_).write(bytes);
  if (std::chrono::steady_clock::now() - last_said_ >= kSayEvery) say_output();
}

void Capture::assemble(Lines& lines, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end == std::string_view::npos ? bytes.size() : end + 1);
    lines.held += piece;
    bytes.remove_prefix(piece.size());
    if (end == std::string_view::npos && lines.held.size() < kMaxLine) return;
    emit(lines.held);
    lines.held.clear();
  }
}

void Capture::emit(std::string_view line) {
  files::write_all(file_.get(), line, log_);
  whole_.update(line);
  part_.update(line);
  size_ += line.size();
  if (line.ends_with('\n')) line.remove_suffix(1);
  std::string shown;
  for (const char letter : line) shown += letter == '\t' ? std::string(4, ' ') : std::string(1, letter);
  live_->tools().listener->line(step_, canon::printable(shown));
}

// Anchors the log so far: after a kill it is known up to here.
void Capture::say_output() {
  last_said_ = std::chrono::steady_clock::now();
  if (size_ == said_) return;
  if (::fdatasync(file_.get()) != 0) throw fault::system_error(errno, "writing", log_);
  live_->say({event_of("pack.step.output",
                       {{"try", attempt_},
                        {"log", log_},
                        {"offset", said_},
                        {"bytes", size_ - said_},
                        {"sha256", part_.finish().tagged()}},
                       step_)});
  said_ = size_;
  files::crash_point("step.output");
}

void Capture::blocked(const sandbox::Blocked& first_seen) {
  const std::string where = first_seen.host.empty() ? first_seen.address : first_seen.host;
  live_->tools().listener->note(fmt::format("{}: blocked: {} tried {} {} port {}", step_,
                                            canon::printable(first_seen.program), first_seen.protocol,
                                            canon::printable(where), first_seen.port));
}

bool Capture::stop_requested() {
  return asked_to_stop(live_->folder()) != Stop::none;
}

Capture::Log Capture::finish() {
  out_.finish();
  err_.finish();
  for (Lines* lines : {&out_lines_, &err_lines_}) {
    if (!lines->held.empty()) emit(lines->held);
    lines->held.clear();
  }
  say_output();
  if (::fsync(file_.get()) != 0) throw fault::system_error(errno, "writing", log_);
  return {size_, whole_.finish().tagged()};
}

}  // namespace stella::run
