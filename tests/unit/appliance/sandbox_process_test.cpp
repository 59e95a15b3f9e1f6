// SPDX-License-Identifier: Apache-2.0
// Starting, ending, and what must not outlive a step.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "bundles/fault/error.hpp"
#include "bundles/locked/bytes.hpp"
#include "tests/unit/appliance/sandbox_bench.hpp"
#include "tests/unit/appliance/sandbox_server.hpp"

namespace stella::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Host processes whose command line holds this text.
int processes_with(const std::string& text) {
  int many = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "cmdline");
    const std::string line(std::istreambuf_iterator<char>(in), {});
    if (line.find(text) != std::string::npos) ++many;
  }
  return many;
}

// A number that only the caller's processes carry, as the argument of a sleep.
std::string mark() {
  return std::to_string(100000 + getpid()) + "." +
         std::to_string(steady_clock::now().time_since_epoch().count() % 100000);
}

TEST(Process, TellsAStatusFromASignal) {
  Site site;
  EXPECT_EQ(site.shell("exit 42").result.status, 42);
  const Outcome killed = site.shell("kill -SEGV $$");
  EXPECT_EQ(killed.result.end, End::signalled);
  EXPECT_EQ(killed.result.status, SIGSEGV);
}

TEST(Process, SaysWhatCannotBeStarted) {
  Site site;
  site.write("work/plain", "no first line");
  std::filesystem::permissions(site.root + "/work/plain", std::filesystem::perms::owner_all);
  site.write("work/closed", "#!/bin/sh\n");
  for (const char* program : {"no-such-program", "/pack/none", "/work/plain", "/work/closed", "/work"}) {
    try {
      (void)site.run(std::vector<std::string>{program});
      FAIL() << program;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), fault::Code::pack_step_failed) << program << error.what();
      EXPECT_EQ(error.reason(), "exec") << program;
    }
  }
  EXPECT_THROW((void)site.run(std::vector<std::string>{}), fault::Error);
}

TEST(Process, CapturesOutputWithoutEndAndBytesOfAnyKind) {
  Site site;
  EXPECT_EQ(site.shell("printf 'a\\0b\\377\\n'").out, std::string("a\0b\xff\n", 5));
  Collector collector;
  collector.stop = [](Collector& seen) { return seen.total > (std::uint64_t{64} << 20); };
  const Result result = run(site.spec({"bash", "-c", "yes | tr -d '\\n'"}), collector);
  EXPECT_EQ(result.end, End::stopped);
}

TEST(Process, IsEndedAtItsTimeLimitWithAllItStarted) {
  Site site;
  const std::string number = mark();
  Spec spec = site.spec({"bash", "-c",
                         "trap '' TERM; for i in $(seq 40); do (trap '' TERM; setsid sleep " + number +
                             ") & done; while :; do sleep " + number + "; done"});
  spec.timeout = milliseconds(400);
  spec.grace = milliseconds(200);
  const Outcome seen = site.run(spec);
  EXPECT_EQ(seen.result.end, End::timed_out);
  EXPECT_LT(seen.result.elapsed, seconds(3));
  EXPECT_EQ(processes_with(number), 0);
}

TEST(Process, MayCleanUpWhenItIsAskedToEnd) {
  Site site;
  Spec spec = site.spec({"bash", "-c", "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done"});
  Collector collector;
  collector.stop = [](Collector& seen) { return seen.outcome.out.find("ready") != std::string::npos; };
  const Result result = run(spec, collector);
  EXPECT_EQ(result.end, End::stopped);
  EXPECT_EQ(collector.outcome.out, "ready\ncleaned\n");
}

TEST(Process, LeavesNothingRunningWhenItsMainProgramEnds) {
  Site site;
  const std::string number = mark();
  const Outcome seen = site.shell("(setsid sleep " + number + " &) ; sleep " + number + " & exit 0");
  EXPECT_EQ(seen.result.status, 0);
  EXPECT_EQ(processes_with(number), 0);
}

TEST(Process, IsHeldToItsNumberOfProcesses) {
  Site site;
  Spec spec = site.spec({"bash", "-c", "for i in $(seq 200); do sleep 5 & done 2>/dev/null; jobs -p | wc -l"});
  spec.max_processes = 40;
  spec.timeout = seconds(3);
  const Outcome seen = site.run(spec);
  EXPECT_LT(seen.result.elapsed, seconds(8));
  EXPECT_LE(seen.out.empty() ? 0 : std::stoi(seen.out), 40);
}

TEST(Process, DoesNotSeeTheProcessesOfAnotherAtTheSameTime) {
  if (!has_program("python3")) GTEST_SKIP() << "python3 is not installed";
  std::array<Outcome, 2> seen;
  {
    std::array<std::jthread, 2> threads;
    for (std::size_t i = 0; i < 2; ++i) {
      threads[i] = std::jthread([&seen, i] {
        Site site;
        seen[i] = site.run({"python3", "-c",
                            "import socket,time,os\n"
                            "l=socket.socket(); l.bind(('127.0.0.1',6000)); l.listen(); time.sleep(0.5)\n"
                            "print(len([p for p in os.listdir('/proc') if p.isdigit()]))\n"});
      });
    }
  }
  for (const auto& one : seen) EXPECT_EQ(one.out, "1\n") << one.err;
}

TEST(Process, EndsWithItsObserversException) {
  Site site;
  const std::string number = mark();
  class Full : public Collector {
    void output(Stream, std::string_view) override { throw fault::Error(fault::Code::no_space, "test", "full"); }
  } full;
  EXPECT_THROW((void)run(site.spec({"bash", "-c", "echo x; sleep " + number}), full), fault::Error);
  EXPECT_EQ(processes_with(number), 0);
}

// A runner in a process of its own, like stella: not dumpable, several threads.
pid_t fork_runner(const Spec& spec) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  locked::protect_process();
  Collector collector;
  try {
    (void)run(spec, collector);
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

TEST(Process, DiesWithItsRunner) {
  Site site;
  const std::string number = mark();
  const pid_t runner = fork_runner(
      site.spec({"bash", "-c", "trap '' TERM HUP; setsid sleep " + number + " & touch /work/up; sleep " + number}));
  for (int i = 0; i < 500 && !std::filesystem::exists(site.root + "/work/up"); ++i) usleep(10000);
  ASSERT_TRUE(std::filesystem::exists(site.root + "/work/up"));
  kill(runner, SIGKILL);
  waitpid(runner, nullptr, 0);
  const auto start = steady_clock::now();
  while (processes_with(number) > 0 && steady_clock::now() - start < seconds(5)) usleep(10000);
  EXPECT_LT(steady_clock::now() - start, seconds(2));
  std::ifstream mounts("/proc/self/mountinfo");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(mounts), {}).find(site.root), std::string::npos);
}

TEST(Process, RunsUnderARunnerThatCannotBeDumpedWithItsStreamsClosed) {
  Site site;
  Spec spec = site.spec({"bash", "-c", "echo here > /work/done"});
  const pid_t pid = fork();
  if (pid == 0) {
    close_range(0, 2, 0);
    locked::protect_process();
    Collector collector;
    try {
      _exit(run(spec, collector).status);
    } catch (const std::exception&) {
      _exit(99);
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(site.read("work/done"), "here\n");
}

// In a child that has taken something away from itself; its message comes back through a file.
std::string message_without(const std::function<bool()>& take_away) {
  Site site;
  std::filesystem::permissions(site.root, std::filesystem::perms::all);
  const std::string answer = site.root + "/answer";
  const pid_t pid = fork();
  if (pid == 0) {
    if (!take_away()) _exit(77);
    Collector collector;
    try {
      (void)run(site.spec({"touch", "/work/started"}), collector);
      std::ofstream(answer) << "it ran";
    } catch (const fault::Error& error) {
      std::ofstream(answer) << fault::info(error.code()).name << " " << error.reason() << " " << error.fix() << " | "
                            << probe();
    }
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WEXITSTATUS(status) == 77) return "skip";
  EXPECT_FALSE(std::filesystem::exists(site.root + "/work/started"));
  return site.read("answer");
}

void write_text(const char* path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST(Refusal, NamesUserNamespacesThatAreSwitchedOff) {
  const std::string seen = message_without([] {
    const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
    if (unshare(CLONE_NEWUSER) != 0) return false;
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + user + " 1");
    write_text("/proc/self/gid_map", "0 " + group + " 1");
    write_text("/proc/sys/user/max_user_namespaces", "0");
    return true;
  });
  if (seen == "skip") GTEST_SKIP() << "no user namespaces here";
  EXPECT_NE(seen.find("ERR_SANDBOX_UNAVAILABLE"), std::string::npos) << seen;
}

TEST(Refusal, NamesTheLimitOfAnOrdinaryUser) {
  const std::string seen = message_without([] {
    const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
    if (unshare(CLONE_NEWUSER) != 0) return false;
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "4711 " + user + " 1");
    write_text("/proc/self/gid_map", "4711 " + group + " 1");
    write_text("/proc/sys/user/max_user_namespaces", "0");
    return true;
  });
  if (seen == "skip") GTEST_SKIP() << "no user namespaces here";
  EXPECT_NE(seen.find("ERR_SANDBOX_UNAVAILABLE max-user-namespaces"), std::string::npos) << seen;
  EXPECT_NE(seen.find("sysctl -w user.max_user_namespaces"), std::string::npos) << seen;
}

TEST(Refusal, ComesBeforeAnythingRanWhenAFolderIsMissing) {
  Site site;
  Spec spec = site.spec({"touch", "/work/started"});
  spec.pack = site.root + "/none";
  EXPECT_THROW((void)site.run(spec), fault::Error);
  EXPECT_FALSE(std::filesystem::exists(site.root + "/work/started"));
  spec = site.spec({"true"});
  spec.allowed = {{"bad.example", "not-an-address", 80}};
  EXPECT_THROW((void)site.run(spec), fault::Error);
}

TEST(Probe, IsEmptyWhereStepsRun) {
  EXPECT_EQ(probe(), "");
}

// Everything once more as an ordinary user, when the tests run as root.
TEST(Ordinary, UserRunsTheSameSteps) {
  if (geteuid() != 0) GTEST_SKIP() << "this is the ordinary user";
  if (!has_program("setpriv")) GTEST_SKIP() << "setpriv is not installed";
  const std::string copy =
      (std::filesystem::temp_directory_path() / ("stella-step-test." + std::to_string(getpid()))).string();
  std::filesystem::copy_file("/proc/self/exe", copy);
  std::filesystem::permissions(copy, std::filesystem::perms(0755));
  const std::string command = "setpriv --reuid=64321 --regid=64321 --clear-groups env HOME=/tmp " + copy +
                              " --gtest_brief=1 --gtest_filter=-Ordinary.* > " + copy + ".log 2>&1";
  // Shown only when it failed: what a missing program makes it skip must not make ctest call this one skipped.
  EXPECT_EQ(std::system(("(" + command + ") || { cat " + copy + ".log; false; }").c_str()), 0);
  std::filesystem::remove(copy);
  std::filesystem::remove(copy + ".log");
}

}  // namespace
}  // namespace stella::sandbox
