// SPDX-License-Identifier: Apache-2.0
#include "appliance/chores/keeper.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "appliance/notify/outbox.hpp"
#include "appliance/respawn/respawn.hpp"
#include "bundles/fault/error.hpp"

namespace stella::chores {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTryAgain{2};

// A verb of stella, done every so often by a process of its own: it may take long, and decides as if somebody had typed
// it. Called every few seconds, to see whether it has ended. It ends with this process: the next one starts its own.
class Verb {
 public:
  Verb(std::vector<std::string> arguments, std::chrono::seconds every)
      : arguments_(std::move(arguments)), every_(every) {}

  void operator()() {
    if (child_ > 0 && ::waitpid(child_, nullptr, WNOHANG) != 0) child_ = 0;
    const auto now = steady_clock::now();
    if (child_ > 0 || now < next_) return;
    next_ = now + every_;
    const files::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    respawn::Start start;
    start.arguments = arguments_;
    start.descriptors = {{nothing.get(), 0}, {nothing.get(), 1}, {2, 2}};
    start.signal_at_my_end = SIGTERM;
    child_ = respawn::start(start);
  }

 private:
  std::vector<std::string> arguments_;
  std::chrono::seconds every_;
  steady_clock::time_point next_{};
  pid_t child_ = 0;
};

}  // namespace

std::vector<Chore> chores_of(const files::Home& home) {
  return {
      // Gates that ran out, as every process ends them that opens the journal; while the clock is suspicious nothing is
      // due. What the offline kit lacks is delivered too. Sealing what expired may take long.
      {"expiry", std::chrono::seconds(2),
       Verb({"--home", home.path(), "--quiet", "pack", "runs", "list", "--limit", "1"}, std::chrono::seconds(10))},
      // What the policy's retention has kept long enough; it is refused while the clock is suspicious.
      {"retention", std::chrono::seconds(2),
       Verb({"--home", home.path(), "--quiet", "--yes", "pack", "runs", "prune"}, std::chrono::hours(1))},
      // One round, where anybody is told of runs; it is not this process that opens a connection.
      {"notifications", std::chrono::seconds(2),
       [home, round = Verb({"--home", home.path(), "--quiet", "notify", "follow", "--until-eof"},
                           std::chrono::seconds(10))]() mutable {
         if (notify::Outbox::exists(home)) round();
       }},
  };
}

Keeper::Keeper(const files::Home& home, std::vector<Chore> chores, Trouble trouble)
    : path_(home.path() + "/chores.lock"), trouble_(trouble), list_(std::move(chores), std::move(trouble)) {}

void Keeper::try_to_lock() {
  files::Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    const fault::Error error = fault::system_error(errno, "opening", path_);
    if (trouble_ && !is_told_) trouble_(std::string("no chores are done: ") + error.what());
    is_told_ = true;
    return;
  }
  is_told_ = false;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) lock_ = std::move(fd);
}

void Keeper::turn(Moment now) {
  if (!lock_ && now >= next_try_) {
    next_try_ = now + kTryAgain;
    try_to_lock();
  }
  if (lock_) list_.turn(now);
}

}  // namespace stella::chores
