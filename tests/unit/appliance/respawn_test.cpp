// SPDX-License-Identifier: Apache-2.0
// The copy of this binary is this test again: its first argument says what the child tells.
#include "appliance/respawn/respawn.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::respawn {
namespace {

struct Pipe {
  files::Fd read_end, write_end;
};
Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  return {files::Fd(ends[0]), files::Fd(ends[1])};
}

std::string read_all(const files::Fd& fd) {
  std::string all;
  char block[256];
  for (ssize_t count = 0; (count = ::read(fd.get(), block, sizeof block)) > 0;) all.append(block, count);
  return all;
}

// Where the child writes what it saw: descriptor 5.
void say(const std::string& text) {
  if (::write(5, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::_exit(1);
}

Start child(const std::string& name, const Pipe& pipe, const files::Fd& nothing) {
  return {.arguments = {name},
          .descriptors = {{nothing.get(), 0}, {nothing.get(), 1}, {nothing.get(), 2}, {pipe.write_end.get(), 5}},
          .environment = std::nullopt,
          .folder = {}};
}

std::string outcome_of(Start start, Pipe& pipe) {
  const pid_t pid = respawn::start(start);
  pipe.write_end.reset();
  std::string text = read_all(pipe.read_end);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return text;
}

files::Fd nothing() {
  return files::Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

void tell_descriptors() {
  std::string open;
  for (int fd = 0; fd < 64; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) open += std::to_string(fd) + " ";
  }
  say(open);
}
void tell_environment() {
  std::string all;
  for (char** one = environ; *one != nullptr; ++one) all += std::string(*one) + "\n";
  say(all);
}
void tell_session() {
  char folder[256];
  const bool own = ::getsid(0) == ::getpid();
  struct sigaction found {};
  ::sigaction(SIGINT, nullptr, &found);
  say(std::string(own ? "own " : "shared ") + ::getcwd(folder, sizeof folder) +
      (found.sa_handler == SIG_DFL ? " plain" : " caught"));
}

// Before main, so that no test framework stands between: a child does what its first argument says, and is gone.
[[maybe_unused]] const bool is_parent = [] {
  std::ifstream stream("/proc/self/cmdline");
  std::string program, wish;
  std::getline(stream, program, '\0');
  std::getline(stream, wish, '\0');
  if (wish == "tell-descriptors") {
    stream.close();
    tell_descriptors();
  } else if (wish == "tell-environment") {
    tell_environment();
  } else if (wish == "tell-session") {
    tell_session();
  } else {
    return true;
  }
  ::_exit(0);
}();

TEST(Respawn, HandsOverTheDescriptorsThatWereNamedAndNoOthers) {
  Pipe pipe = make_pipe();
  const files::Fd none = nothing();
  const int left_open = ::dup(none.get());  // not O_CLOEXEC, as a careless library leaves it
  EXPECT_EQ(outcome_of(child("tell-descriptors", pipe, none), pipe), "0 1 2 5 ");
  ::close(left_open);
}

TEST(Respawn, PlacesDescriptorsThatStandInEachOthersWay) {
  Pipe pipe = make_pipe();
  const files::Fd none = nothing();
  const files::Fd at_five(::fcntl(none.get(), F_DUPFD_CLOEXEC, 5));
  Start start = child("tell-descriptors", pipe, none);
  start.descriptors.push_back({pipe.write_end.get(), 0});
  start.descriptors.push_back({at_five.get(), 3});
  EXPECT_EQ(outcome_of(start, pipe), "0 1 2 3 5 ");
}

TEST(Respawn, GivesTheEnvironmentThatWasSaid) {
  Pipe pipe = make_pipe();
  const files::Fd none = nothing();
  Start start = child("tell-environment", pipe, none);
  start.environment = std::vector<std::string>{"A=1", "B=two"};
  EXPECT_EQ(outcome_of(start, pipe), "A=1\nB=two\n");
}

TEST(Respawn, GivesASessionAFolderAndPlainSignals) {
  Pipe pipe = make_pipe();
  const files::Fd none = nothing();
  Start start = child("tell-session", pipe, none);
  start.own_session = true;
  start.folder = "/usr";
  ::signal(SIGINT, SIG_IGN);
  EXPECT_EQ(outcome_of(start, pipe), "own /usr plain");
  ::signal(SIGINT, SIG_DFL);
}

TEST(Respawn, SaysWhichStageFailed) {
  Pipe pipe = make_pipe();
  const files::Fd none = nothing();
  Start start = child("tell-session", pipe, none);
  start.folder = "/no/such/folder";
  try {
    (void)respawn::start(start);
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.reason(), "spawn");
    EXPECT_NE(std::string(error.what()).find("folder"), std::string::npos);
  }
}

}  // namespace
}  // namespace stella::respawn
