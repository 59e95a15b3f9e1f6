// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/stop.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "appliance/journal/via.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

// The lanes' threads read it, which a sig_atomic_t does not allow; a handler may write an atomic that has no lock.
std::atomic<int> signalled = 0;
static_assert(std::atomic<int>::is_always_lock_free);

void note_signal(int number) {
  signalled = number;
}

std::string cancel_file(const std::string& folder) {
  return folder + "/cancel.json";
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

void forget_signals() {
  signalled = 0;
}

bool is_signalled() {
  return signalled != 0;
}

Stop asked_to_stop(const std::string& folder) {
  if (is_signalled()) return Stop::interrupted;
  struct stat found {};
  return ::lstat(cancel_file(folder).c_str(), &found) == 0 ? Stop::cancelled : Stop::none;
}

void request_cancel(const std::string& folder, const CancelRequest& request) {
  canon::Json object = {{"by", request.by}, {"reason", request.reason}, {"graceMs", request.grace.count()}};
  journal::put_via(object, request.via);
  files::write_atomically(cancel_file(folder), canon::canonical(object), 0600);
}

std::optional<CancelRequest> find_cancel(const std::string& folder) {
  struct stat found {};
  if (::lstat(cancel_file(folder).c_str(), &found) != 0) return std::nullopt;
  const auto code = fault::Code::journal_tampered;
  const auto object =
      canon::parse_json(files::read_input(cancel_file(folder), {.max_bytes = 65536}), code, "cancel.json");
  canon::Fields fields(object, code, "cancel", "cancel.json");
  CancelRequest request{.by = fields.text("by"), .reason = fields.text("reason")};
  if (fields.has("graceMs")) request.grace = std::chrono::milliseconds(fields.integer("graceMs", 0, 3600000));
  if (fields.has("via")) request.via = fields.any("via");
  fields.finish();
  return request;
}

void forget_cancel(const std::string& folder) {
  ::unlink(cancel_file(folder).c_str());
}

}  // namespace stella::run
