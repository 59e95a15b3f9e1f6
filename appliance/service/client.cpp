// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "appliance/service/bearer.hpp"
#include "appliance/service/listener.hpp"
#include "appliance/service/request.hpp"
#include "appliance/service/wire.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

// SIGINT, SIGTERM and SIGHUP come through a descriptor while this lives.
class Signals {
 public:
  Signals() {
    sigset_t caught;
    sigemptyset(&caught);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&caught, number);
    ::sigprocmask(SIG_BLOCK, &caught, &before_);
    fd_ = files::Fd(::signalfd(-1, &caught, SFD_CLOEXEC));
    if (!fd_) throw fault::system_error(errno, "watching", "signals");
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  [[nodiscard]] int take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : SIGTERM;
  }

 private:
  sigset_t before_{};
  files::Fd fd_;
};

Request request_of(const std::vector<std::string>& arguments) {
  const char* term = std::getenv("TERM");
  std::error_code error;
  const std::string folder = std::filesystem::current_path(error).string();
  return {.arguments = arguments,
          .folder = error ? "/" : folder,
          .term = term == nullptr ? "" : term,
          .no_colour = std::getenv("NO_COLOR") != nullptr};
}

[[noreturn]] void ended_meanwhile() {
  throw Error(Code::serve_busy, "gone", "the service ended while it worked on this", {},
              "Look with `stella pack runs list`; `stella pack runs resume` goes on with a run that was paused.");
}

int end_as(const Ended& ended, const std::set<int>& passed_on) {
  if (ended.signal == 0) return ended.status;
  if (passed_on.contains(ended.signal)) {  // as a process ends that Ctrl-C kills
    ::signal(ended.signal, SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, ended.signal);
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
    ::raise(ended.signal);
  }
  throw Error(Code::serve_busy, "killed",
              fmt::format("the service's process for this was killed by signal {}", ended.signal), {},
              "Look with `stella pack runs list`; `stella pack runs resume` goes on with a run that was paused.");
}

class Conversation {
 public:
  Conversation(files::Fd service, files::Fd wishes) : service_(std::move(service)), wishes_(std::move(wishes)) {}

  int run() {
    for (;;) {
      std::array<pollfd, 3> watched{
          {{service_.get(), POLLIN, 0}, {wishes_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)
        throw fault::system_error(errno, "waiting for", "the service");
      if (watched[2].revents != 0) pass_on(signals_.take());
      if (watched[1].revents != 0 && !fulfil_one(wishes_.get(), [this] { return goes_on(); })) wishes_.reset();
      if (watched[0].revents != 0) return hear();
    }
  }

 private:
  // Looks for a signal while a wish is fulfilled; after one the wish is dropped.
  bool goes_on() {
    struct pollfd signalled {
      signals_.get(), POLLIN, 0
    };
    if (::poll(&signalled, 1, 0) > 0) pass_on(signals_.take());
    return passed_on_.empty();
  }

  void pass_on(int number) {
    passed_on_.insert(number);
    (void)send(service_.get(), text_of_signal(number));
  }

  int hear() {
    const auto message = receive(service_.get());
    if (!message) ended_meanwhile();
    const Answer answer = parse_answer(message->text);
    if (const auto* refused = std::get_if<Error>(&answer)) throw *refused;
    return end_as(std::get<Ended>(answer), passed_on_);
  }

  Signals signals_;
  files::Fd service_, wishes_;
  std::set<int> passed_on_;
};

}  // namespace

int forward(const std::string& socket, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (!canon::is_utf8(argument))
      throw Error(Code::usage, "utf-8", "an argument for the service is not UTF-8", canon::printable(argument, 80));
  }
  files::Fd service = connect_to(socket);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw fault::system_error(errno, "making", "a socket");
  files::Fd mine(ends[0]);
  files::Fd theirs(ends[1]);
  const std::array<int, kRequestDescriptors> passed{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, theirs.get()};
  // A service that refuses says why before it closes: that is still to be read when sending fails.
  (void)send(service.get(), text_of(request_of(arguments)), passed);
  theirs.reset();
  return Conversation(std::move(service), std::move(mine)).run();
}

}  // namespace stella::service
