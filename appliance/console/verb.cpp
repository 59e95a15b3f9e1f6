// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/verb.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <limits>

#include "appliance/console/answer.hpp"
#include "appliance/respawn/respawn.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kLongest{60};
constexpr std::size_t kMaxOutput = 32 << 20;

constexpr std::chrono::milliseconds kLook{100};

// Of steady_clock; what bounds all verbs.
std::atomic<steady_clock::rep> all_end_at = std::numeric_limits<steady_clock::rep>::max();

std::chrono::milliseconds left_until(steady_clock::time_point until) {
  const auto end = std::min(until.time_since_epoch().count(), all_end_at.load());
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      steady_clock::duration(end - steady_clock::now().time_since_epoch().count()));
}

struct Pipe {
  files::Fd read, write;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw fault::system_error(errno, "making", "a pipe");
  return {files::Fd(ends[0]), files::Fd(ends[1])};
}

// The child's ends wait as usual programs expect.
void make_blocking(const files::Fd& fd) {
  (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
}

std::vector<std::string> environment() {
  std::vector<std::string> kept;
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TASKRUNNER_SEALED_VAULT_URL"}) {
    if (const char* value = std::getenv(name); value != nullptr) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

// Takes what there is; closes at the end.
void drain(files::Fd& fd, std::string& into) {
  std::array<char, 65536> block{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      fd.reset();
      return;
    }
    if (into.size() < kMaxOutput) into.append(block.data(), static_cast<std::size_t>(got));
  }
}

void feed(files::Fd& fd, std::string_view& rest) {
  while (!rest.empty()) {
    const ssize_t put = ::write(fd.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) break;  // it reads no more: its answer says why
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  fd.reset();
}

// False: the time is over.
bool exchange(files::Fd& in, std::string_view input, files::Fd& out, files::Fd& err, Outcome& outcome) {
  const auto until = steady_clock::now() + kLongest;
  while (in || out || err) {
    const auto left = left_until(until);
    if (left.count() <= 0) return false;
    std::array<pollfd, 3> waiting = {pollfd{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(std::min(left, kLook).count())) < 0 && errno != EINTR)
      return false;
    if (in && waiting[0].revents != 0) feed(in, input);
    if (out && waiting[1].revents != 0) drain(out, outcome.out);
    if (err && waiting[2].revents != 0) drain(err, outcome.err);
  }
  return true;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

std::string_view last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text.substr(text.rfind('\n') + 1);
}

canon::Json object_in(std::string_view text) {
  try {
    return canon::parse_json(last_line(text), Code::internal, "verb", kMaxOutput, canon::kMaxPlanValues);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

void end_verbs_by(steady_clock::time_point latest) noexcept {
  all_end_at = latest.time_since_epoch().count();
}

Outcome run_verb(const files::Home& home, const Verb& verb) {
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
  for (const files::Fd* fd : {&in.read, &out.write, &err.write}) make_blocking(*fd);
  respawn::Start start;
  start.arguments = {"--home", home.path(), "--output", "json"};
  start.arguments.insert(start.arguments.end(), verb.arguments.begin(), verb.arguments.end());
  if (!verb.via.empty()) start.arguments.insert(start.arguments.end(), {"--via", verb.via});
  start.descriptors = {{in.read.get(), 0}, {out.write.get(), 1}, {err.write.get(), 2}};
  start.environment = environment();
  start.folder = std::string(1, '/');  // g++ 12 warns of the plain text
  const pid_t child = respawn::start(start);
  for (files::Fd* fd : {&in.read, &out.write, &err.write}) fd->reset();
  Outcome outcome;
  const bool done = exchange(in.write, verb.input, out.read, err.read, outcome);
  if (!done) ::kill(child, SIGKILL);
  outcome.exit = wait_for(child);
  if (!done)
    throw Error(Code::run_busy, "slow", "the verb did not end in time and was stopped", verb.arguments.front());
  return outcome;
}

canon::Json result_of(const Outcome& outcome) {
  return object_in(outcome.out);
}

canon::Json error_of(const Outcome& outcome) {
  const canon::Json object = object_in(outcome.err);
  return object.is_object() && object.contains("error") ? object.at("error") : canon::Json();
}

http::Response failure_response(const Outcome& outcome) {
  const canon::Json error = error_of(outcome);
  if (error.is_null())
    return error_response(Error(Code::internal, "verb", fmt::format("the verb ended with exit {}", outcome.exit)));
  return json_response({{"error", error}}, status_of_exit(outcome.exit));
}

}  // namespace stella::console
