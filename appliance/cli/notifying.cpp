// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/notifying.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "appliance/journal/visible.hpp"
#include "appliance/notify/round.hpp"
#include "appliance/respawn/respawn.hpp"

namespace stella::cli {
namespace {

struct Row {
  std::string_view path;
  Telling telling;
};
constexpr std::array kRows{
    Row{"pack run", Telling::runs},     Row{"pack runs resume", Telling::runs}, Row{"pack runs cancel", Telling::acts},
    Row{"pack approve", Telling::acts}, Row{"pack runs export", Telling::acts}, Row{"pack runs prune", Telling::acts},
    Row{"chaos inject", Telling::acts}, Row{"pack runs list", Telling::looks},  Row{"pack runs show", Telling::looks},
};

constexpr std::chrono::seconds kPatience(2);

struct Companion {
  files::Fd leash;
  pid_t pid = 0;
};

// A companion in a session of its own, whose standard input ends when this process does, however it ends. What a test
// lets this process be killed by is not for it.
Companion start_companion(const std::string& home) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw fault::system_error(errno, "making a pipe", "pipe");
  const files::Fd read_end(ends[0]), nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  files::Fd write_end(ends[1]);
  if (!nothing) throw fault::system_error(errno, "opening", "/dev/null");
  std::vector<std::string> environment;
  for (char** one = environ; *one != nullptr; ++one) {
    if (std::string_view(*one).rfind("STELLA_CRASH_AT=", 0) != 0) environment.emplace_back(*one);
  }
  const pid_t pid = respawn::start({.arguments = {"--home", home, "notify", "follow", "--until-eof"},
                                    .descriptors = {{read_end.get(), 0}, {nothing.get(), 1}, {nothing.get(), 2}},
                                    .environment = std::move(environment),
                                    .folder = home,
                                    .own_session = true});
  return {std::move(write_end), pid};
}

// One round of a companion. Posts take as long as they take, so it is not ended: after a moment it goes on alone.
void hand_over(const std::string& home) {
  const pid_t pid = start_companion(home).pid;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (::waitpid(pid, nullptr, WNOHANG) == 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

// Until the companion has told what is new from what was before it; not for ever.
void await_present(const files::Home& home) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (!notify::Outbox::exists(home) || !notify::Outbox::open(home).revision()) {
    if (std::chrono::steady_clock::now() >= until) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

Telling telling_of(const std::vector<std::string>& path) {
  std::string name;
  for (const std::string& word : path) name += (name.empty() ? "" : " ") + word;
  for (const Row& row : kRows) {
    if (row.path == name) return row.telling;
  }
  return Telling::none;
}

Teller Teller::before(Invocation& call, Telling telling) noexcept {
  Teller teller;
  if (telling == Telling::none) return teller;
  try {
    const files::Home& home = call.home();
    const bool known = notify::Outbox::exists(home);
    if (!known && telling == Telling::looks) return teller;
    const auto applied = site::load_applied(home);
    if (!known && !notify::has_rules(applied)) return teller;
    if (!journal::sees_everything()) {
      if (telling == Telling::looks) return teller;
      teller.leash_ = start_companion(home.path()).leash;
      await_present(home);
      return teller;
    }
    teller.telling_ = telling;
    teller.home_ = home.path();
    teller.out_ = &call.out();
    if (telling == Telling::looks) return teller;
    (void)notify::tell(home, call.clock(), {.network = notify::Network::leave, .within = kPatience});
    if (telling == Telling::runs && notify::has_rules(applied)) teller.leash_ = start_companion(home.path()).leash;
  } catch (const std::exception&) {  // the verb itself will say what is wrong with the home
  }
  return teller;
}

void Teller::after() noexcept {
  if (telling_ == Telling::none) return leash_.reset();
  try {
    const files::Home home = files::Home::open(home_);
    const notify::Told told =
        notify::tell(home, clock::system_clock(), {.network = notify::Network::leave, .within = kPatience});
    const bool has_companion = static_cast<bool>(leash_);
    leash_.reset();
    if (telling_ == Telling::looks || has_companion || told.delivered.left == 0) return;
    hand_over(home_);
    if (const std::size_t left = notify::Outbox::open(home).count(notify::State::queued); left > 0)
      out_->note(fmt::format("note: {} notification{} could not be delivered yet: `stella notify list`", left,
                             left == 1 ? "" : "s"));
  } catch (const std::exception& error) {
    try {
      out_->note(fmt::format("note: notifications wait ({}): `stella notify flush` tries again", error.what()));
    } catch (const std::exception&) {  // nobody to tell
    }
  }
}

}  // namespace stella::cli
