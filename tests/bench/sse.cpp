// SPDX-License-Identifier: Apache-2.0
// 500 viewers of one run's log at 200 lines a second each, and the list of 10,000 runs. Against the least that a server
// could do: one epoll thread that writes the same bytes to 500 sockets twenty times a second; and one indexed query.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "appliance/access/store.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/logs/writer.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/database/connection.hpp"
#include "tests/bench/site.hpp"

namespace {

namespace bench = stella::bench;
using namespace stella;
using std::chrono::steady_clock;

constexpr int kViewers = 500, kLines = 2000, kTicks = 200, kPerTick = kLines / kTicks;  // ten seconds
constexpr std::chrono::milliseconds kTick{50};

std::string line_of(int number) {
  return "2026-11-24T10:00:00Z controller 7: block " + std::to_string(100000 + number) + " flashed and verified\n";
}

int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0)
    throw std::runtime_error("no connection to the server");
  return fd;
}

// CPU of a process so far: fields 14 and 15 of its stat, in clock ticks.
double cpu_ms(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  text = text.substr(text.rfind(')') + 2);
  std::istringstream fields(text);
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// Reads everything from 500 connections and counts the lines: `wanted` of each, or what came within 60 s.
long count_lines(std::uint16_t port, const std::string& request, const std::function<void()>& when_ready) {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < kViewers; ++i) {
    const int fd = dial(port);
    if (::write(fd, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
      throw std::runtime_error("write");
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
  std::thread source(when_ready);
  long found = 0;
  std::map<int, std::string> tails;
  std::string block(1 << 16, '\0');
  const auto until = steady_clock::now() + std::chrono::seconds(60);
  while (found < static_cast<long>(kViewers) * kLines && steady_clock::now() < until) {
    epoll_event events[64];
    const int count = ::epoll_wait(poll, events, 64, 1000);
    for (int i = 0; i < count; ++i) {
      const ssize_t got = ::read(events[i].data.fd, block.data(), block.size());
      if (got <= 0) {
        ::epoll_ctl(poll, EPOLL_CTL_DEL, events[i].data.fd, nullptr);
        continue;
      }
      std::string& tail = tails[events[i].data.fd];
      tail.append(block.data(), static_cast<std::size_t>(got));
      for (auto at = tail.find("flashed and verified"); at != std::string::npos;
           at = tail.find("flashed and verified")) {
        ++found;
        tail.erase(0, at + 20);
      }
      if (tail.size() > 256) tail.erase(0, tail.size() - 256);
    }
  }
  source.join();
  for (const auto& [fd, tail] : tails) ::close(fd);
  ::close(poll);
  return found;
}

struct Server {
  pid_t pid = 0;
  std::uint16_t port = 0;
};

Server start_stella() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], 1);
    ::execl(bench::binary().c_str(), "stella", "--output", "ndjson", "serve", "--listen", "127.0.0.1:0", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  char text[200] = {};
  if (::read(ends[0], text, sizeof text - 1) <= 0) throw std::runtime_error("the server did not start");
  ::close(ends[0]);
  const char* host = std::strstr(text, "127.0.0.1:");
  if (host == nullptr) throw std::runtime_error("the server does not say where it is");
  return {pid, static_cast<std::uint16_t>(std::atoi(host + std::strlen("127.0.0.1:")))};
}

// The floor: accepts 500 connections, then writes the next lines to each of them every 50 ms.
Server start_floor() {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  if (::bind(listening, reinterpret_cast<sockaddr*>(&name), size) != 0 || ::listen(listening, 512) != 0 ||
      ::getsockname(listening, reinterpret_cast<sockaddr*>(&name), &size) != 0)
    throw std::runtime_error("no socket for the floor");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    std::vector<int> viewers;
    while (viewers.size() < kViewers) viewers.push_back(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
    for (int tick = 0; tick < kTicks; ++tick) {
      std::string text;
      for (int i = 0; i < kPerTick; ++i) text += "id: 1.1\ndata: " + line_of(tick * kPerTick + i) + "\n";
      for (const int fd : viewers) {
        if (::write(fd, text.data(), text.size()) < 0) ::_exit(1);
      }
      std::this_thread::sleep_for(kTick);
    }
    ::pause();
  }
  ::close(listening);
  return {pid, ntohs(name.sin_port)};
}

void stop(const Server& server) {
  ::kill(server.pid, SIGTERM);
  ::waitpid(server.pid, nullptr, 0);
}

struct Home {
  files::Home home = files::Home::open();
  journal::Journal journal = journal::Journal::open(home);
  std::string bearer = make_token();
  std::string make_token() const {
    const auto made =
        access::make_token({"plant-7", "bench", {access::Scope::read}, std::nullopt}, clock::system_clock().now());
    access::add_token(home, made.token, clock::system_clock().now());
    return made.text;
  }
  journal::RunRow run(const std::string& state) {
    journal::RunRow row;
    row.tenant = "plant-7";
    row.pack = "bench";
    row.version = "1.0.0";
    row.state = state;
    return journal.create_run(row, {"pack.run.submitted", {}, {}}, clock::system_clock().now());
  }
  [[nodiscard]] std::string request(std::uint16_t port, const std::string& path) const {
    return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\nAuthorization: Bearer " +
           bearer + "\r\n\r\n";
  }
};

void viewers(bench::Table& table, Home& home) {
  const auto run = home.run("running");
  auto writer = logs::Writer::open(run.folder + "/logs");
  auto step = writer.begin("flash", 1);
  const auto print = [&] {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    for (int tick = 0; tick < kTicks; ++tick) {
      std::string text;
      for (int i = 0; i < kPerTick; ++i) text += line_of(tick * kPerTick + i);
      step.append(logs::Stream::out, text, clock::system_clock().now());
      std::this_thread::sleep_for(kTick);
    }
  };
  const Server floor = start_floor();
  const long floor_lines = count_lines(floor.port, "GET / HTTP/1.1\r\n\r\n", [] {});
  const double floor_us = cpu_ms(floor.pid) * 1000 / static_cast<double>(floor_lines);
  ::kill(floor.pid, SIGKILL);
  ::waitpid(floor.pid, nullptr, 0);
  const Server server = start_stella();
  const long lines =
      count_lines(server.port, home.request(server.port, "/task-runner/runs/" + run.id + "/logs"), print);
  const double ours_us = cpu_ms(server.pid) * 1000 / static_cast<double>(lines);
  stop(server);
  table.row("CPU for one line to one of 500 viewers", ours_us, floor_us, "<= 5 us", "us");
  table.figure("lines that did not arrive", static_cast<double>(static_cast<long>(kViewers) * kLines - lines),
               "of 1,000,000", "0");
}

std::string ask(std::uint16_t port, const std::string& request) {
  const int fd = dial(port);
  std::string text, block(1 << 16, '\0');
  if (::write(fd, request.data(), request.size()) < 0) throw std::runtime_error("write");
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

double milliseconds_of(const std::function<void()>& work) {
  const auto start = steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

void list(bench::Table& table, Home& home) {
  for (int i = 0; i < 10000; ++i) (void)home.run(i % 10 == 0 ? "failed" : "succeeded");
  const Server server = start_stella();
  std::string request = home.request(server.port, "/api/runs");
  request.insert(request.size() - 2, "Connection: close\r\n");
  const auto file = database::Connection::open(home.home.runs() + "/journal.db",
                                               {.damaged = fault::Code::internal, .busy = fault::Code::internal});
  const auto listed = [&] {
    if (ask(server.port, request).find("\"more\":true") == std::string::npos) throw std::runtime_error("no list");
  };
  const auto queried = [&] {
    auto rows = file.prepare("SELECT * FROM runs WHERE tenant=? ORDER BY created DESC, id DESC LIMIT 101")
                    .bind(1, std::string("plant-7"));
    while (rows.step()) (void)rows.text(0);
  };
  std::vector<double> ours, floor;  // not bench::measure: that waits for all children, and the server is one
  for (int i = 0; i < 200; ++i) {
    ours.push_back(milliseconds_of(listed));
    floor.push_back(milliseconds_of(queried));
  }
  table.row("GET /api/runs with 10,000 runs", bench::median(ours), bench::median(floor), "<= 3 x");
  // The same when something has happened in another run since the last request: the list that is kept is stale.
  const auto busy = home.run("running");
  ours.clear();
  floor.clear();
  for (int i = 0; i < 200; ++i) {
    const std::vector<journal::NewEvent> one = {{"pack.step.output", "a", {{"n", i}}}};
    home.journal.append(busy.id, one, {}, clock::system_clock().now());
    ours.push_back(milliseconds_of(listed));
    floor.push_back(milliseconds_of(queried));
  }
  stop(server);
  table.row("the same after another run has moved", bench::median(ours), bench::median(floor), "<= 3 x");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(
      argc, argv,
      [](bench::Table& table) {
        const bench::Site site;
        Home home;
        viewers(table, home);
        list(table, home);
      },
      "sse");
}
