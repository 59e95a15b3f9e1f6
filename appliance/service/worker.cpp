// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/worker.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "appliance/respawn/respawn.hpp"
#include "appliance/service/order.hpp"
#include "appliance/service/wire.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

// The service's own settings that its verbs need, and what a sanitised build is told.
constexpr const char* kOwnSettings[] = {"TASKRUNNER_SEALED_VAULT_URL", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};

files::Fd process_of(pid_t pid) {
  return files::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace

std::vector<std::string> clean_environment(const std::string& home, const Request& request) {
  std::vector<std::string> all = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=" + home,
                                  "STELLA_HOME=" + home};
  if (!request.term.empty()) all.push_back("TERM=" + request.term);
  if (request.no_colour) all.emplace_back("NO_COLOR=1");
  for (const char* name : kOwnSettings) {
    if (const char* value = std::getenv(name)) all.push_back(std::string(name) + "=" + value);
  }
  return all;
}

Worker::Worker(files::Fd socket, Person person, const Patience& patience, Clock::time_point now)
    : socket_(std::move(socket)), person_(std::move(person)), patience_(patience), deadline_(now + patience.request) {}

void Worker::refuse(const Error& error) {
  (void)send(socket_.get(), text_of(Answer(error)));
  is_over_ = true;
}

void Worker::begin(const std::string& home) {
  auto message = receive(socket_.get());
  if (!message) {
    is_over_ = true;
    return;
  }
  const Request request = parse_request(message->text);
  if (message->descriptors.size() != kRequestDescriptors)
    throw Error(Code::usage, "frame", "a request comes with four descriptors");
  const files::Fd order = write_order(
      {.uid = person_.uid, .tenants = person_.tenants, .arguments = request.arguments, .folder = request.folder});
  respawn::Start start{.arguments = {kActFor},
                       .descriptors = {{order.get(), kOrderAt}},
                       .environment = clean_environment(home, request),
                       .folder = "/",
                       .own_session = true,
                       .signal_at_my_end = SIGTERM};
  for (int i = 0; i < 3; ++i) start.descriptors.push_back({message->descriptors[static_cast<std::size_t>(i)].get(), i});
  start.descriptors.push_back({message->descriptors[3].get(), kWishesAt});
  pid_ = respawn::start(start);
  process_ = process_of(pid_);
  deadline_.reset();
  if (process_) return;
  (void)::kill(pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
  throw fault::system_error(errno, "watching", "the process of a command");
}

void Worker::signal(int number) {
  if (process_) (void)::syscall(SYS_pidfd_send_signal, process_.get(), number, nullptr, 0);
}

void Worker::hear(const std::string& home, Clock::time_point now) {
  try {
    if (!process_) return begin(home);
    if (const auto message = receive(socket_.get())) return signal(parse_signal(message->text));
  } catch (const Error& error) {
    if (!process_) return refuse(error);
  }
  // The command line was killed, or speaks nonsense: as when a terminal hangs up.
  socket_.reset();
  signal(SIGHUP);
  deadline_ = now + patience_.end;
}

void Worker::reap() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  process_.reset();
  is_over_ = true;
  if (!socket_) return;
  const Ended ended{.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                    .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
  (void)send(socket_.get(), text_of(Answer(ended)));
}

void Worker::expire(Clock::time_point now) {
  if (!deadline_ || now < *deadline_) return;
  deadline_.reset();
  if (process_) return signal(SIGKILL);
  refuse(Error(Code::usage, "frame", "no request came in time"));
}

void Worker::send_away(Clock::time_point now) {
  if (!process_)
    return refuse(Error(Code::access_denied, "unlisted", "the policy that is applied now does not list you", {},
                        "Have a site admin list you as an operator; `stella site apply` takes the new policy in."));
  signal(SIGTERM);
  if (!deadline_) deadline_ = now + patience_.end;
}

void Worker::stop(Clock::time_point now) {
  if (!process_)
    return refuse(
        Error(Code::serve_busy, "stopping", "the service is stopping", {}, "Run the command again in a moment."));
  signal(SIGTERM);
  if (!deadline_) deadline_ = now + patience_.end;
}

}  // namespace stella::service
