// SPDX-License-Identifier: Apache-2.0
#include "appliance/chores/keeper.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <cerrno>

#include "appliance/notify/outbox.hpp"
#include "appliance/respawn/respawn.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/site/clock_mark.hpp"

namespace stella::chores {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTryAgain{2};

// A verb of stella, done every so often by a process of its own: it may take long, and decides as if somebody had typed
// it. Called every few seconds, to see whether it has ended.
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
    child_ = respawn::start(start);
  }

 private:
  std::vector<std::string> arguments_;
  std::chrono::seconds every_;
  steady_clock::time_point next_{};
  pid_t child_ = 0;
};

}  // namespace

std::vector<Chore> chores_of(const files::Home& home, const clock::Clock& clock) {
  return {
      // Gates that ran out; while the clock is suspicious nothing is due. What the offline kit lacks is delivered too.
      {"expiry", std::chrono::seconds(10),
       [home, &clock] { (void)run::open_journal(home, site::observe_clock(home, clock.now())); }},
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
    : path_(home.path() + "/chores.lock"), list_(std::move(chores), std::move(trouble)) {}

void Keeper::turn(Moment now) {
  if (!lock_ && now >= next_try_) {
    next_try_ = now + kTryAgain;
    files::Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) throw fault::system_error(errno, "opening", path_);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) lock_ = std::move(fd);
  }
  if (lock_) list_.turn(now);
}

}  // namespace stella::chores
