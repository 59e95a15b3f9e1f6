// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/engine.hpp"

#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

#include "appliance/run/expiry.hpp"
#include "appliance/run/runner.hpp"
#include "appliance/run/submit.hpp"

namespace {

std::atomic<long> sync_count{0};

long counted(long number, int fd) {
  ++sync_count;
  return syscall(number, fd);
}

}  // namespace

// The program's own definitions come before libc's, for SQLite as well.
extern "C" {
int fsync(int fd) {
  return static_cast<int>(counted(SYS_fsync, fd));
}
int fdatasync(int fd) {
  return static_cast<int>(counted(SYS_fdatasync, fd));
}
int syncfs(int fd) noexcept {
  return static_cast<int>(counted(SYS_syncfs, fd));
}
}

namespace stella::bench {
namespace {

class Silent : public run::Listener {
 public:
  void event(const journal::Event&) override {}
  void line(const std::string&, std::string_view) override {}
  void note(const std::string&) override {}
};

}  // namespace

long syncs_so_far() {
  return sync_count;
}

void spawn_and_wait(const std::string& program) {
  std::string word = program;
  char* argv[] = {word.data(), nullptr};
  pid_t pid = 0;
  int status = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv, environ) != 0 || waitpid(pid, &status, 0) != pid ||
      status != 0)
    throw std::runtime_error(program + " did not end well");
}

sandbox::Result spawn_bare(const sandbox::Spec& spec, sandbox::Observer&) {
  spawn_and_wait(spec.argv.front());
  sandbox::Result result;
  result.limits = "advisory";
  return result;
}

std::string run_engine(const Site& site, const std::string& pack, const Sandbox& sandbox) {
  const auto home = files::Home::open(site.home());
  const clock::Clock& clock = clock::system_clock();
  auto journal = run::open_journal(home, clock.now());
  run::Submission submission;
  submission.wanted = {.pack = std::nullopt, .bundle = pack};
  submission.tenant = "bench";
  const auto row = run::submit(home, journal, submission, clock.now());
  const auto lock = journal.lock_run(row);
  run::Record record = run::load_record(home, journal, row.id);
  Silent silent;
  run::Choices choices;
  choices.who = "bench";
  run::Live live({.home = &home,
                  .journal = &journal,
                  .clock = &clock,
                  .listener = &silent,
                  .sandbox = sandbox,
                  .open_secrets = {}},
                 record, choices);
  run::unpack_afresh(record);
  const run::Outcome outcome = run::go_on(live);
  if (outcome.error) throw fault::Error(*outcome.error);
  return row.id;
}

}  // namespace stella::bench
