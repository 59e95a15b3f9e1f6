// SPDX-License-Identifier: Apache-2.0
// The server and its workers over a real socket, with many clients at once; `./dev test` runs it under ThreadSanitizer.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "appliance/http/pool.hpp"
#include "appliance/http/server.hpp"
#include "bundles/fault/error.hpp"

namespace stella::http {
namespace {

// Nothing: nobody listens.
files::Fd connect_to(const Address& address) {
  files::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) socket.reset();
  return socket;
}

// What the server says to one request, until it closes the connection.
std::string ask(const Address& address, const std::string& path) {
  const files::Fd socket = connect_to(address);
  if (!socket) return "no connection";
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return "not sent";
  std::string answer;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return answer;
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

// Says one word each time that somebody wakes it, and ends after the last.
class Words : public Stream {
 public:
  struct Shared {
    std::mutex mutex;
    std::condition_variable asleep;
    Sleeper* sleeper = nullptr;
    int said = 0, allowed = 0;
  };
  explicit Words(Shared& shared) : shared_(&shared) {}
  Words(const Words&) = delete;
  ~Words() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->sleeper = nullptr;
  }
  Portion read(std::span<char> into, Sleeper& sleeper) override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->said == kWords) return {0, Next::end};
    if (shared_->said < shared_->allowed) {
      into[0] = static_cast<char>('a' + shared_->said++);
      return {1, Next::more};
    }
    shared_->sleeper = &sleeper;
    shared_->asleep.notify_one();
    return {0, Next::wait};
  }
  static constexpr int kWords = 26;

 private:
  Shared* shared_;
};

// Never at its end: as long as somebody takes bytes there are more.
class Endless : public Stream {
 public:
  Portion read(std::span<char> into, Sleeper&) override {
    std::ranges::fill(into, 'x');
    return {into.size(), Next::more};
  }
};

class Echo : public Handler {
 public:
  std::variant<Plan, Response> begin(const Request& head) override {
    if (head.target.segments.at(0) == "no") return text_response(403, "no");
    return Plan{};
  }
  Response answer(const Request& request, std::size_t worker) override {
    ++counts.at(worker);  // no lock: a worker's number is one thread's
    const std::string& what = request.target.segments.at(0);
    if (what == "throw") throw std::runtime_error("broken");
    Response response{.headers = {{"Content-Type", "text/plain"}}};
    if (what == "words") {
      response.stream = std::make_unique<Words>(words);
    } else if (what == "live" || what == "download") {
      response.stream = std::make_unique<Endless>();
      if (what == "download") response.stream_bytes = kDownload;
    } else {
      return text_response(200, what);
    }
    return response;
  }
  Response refuse(int status, const std::exception_ptr&) override {
    return text_response(status == 0 ? 500 : status, "refused");
  }

  static constexpr std::uint64_t kDownload = std::uint64_t{1} << 40;
  std::array<int, kWorkers + 1> counts{};
  Words::Shared words;
};

TEST(Threads, AnswerManyClientsAtOnce) {
  Echo echo;
  std::atomic<int> right = 0;
  {
    Server server(listen_on(parse_address("127.0.0.1:0")), echo);
    std::vector<std::thread> clients;
    for (int client = 0; client < 6; ++client) {
      clients.emplace_back([&, client] {
        for (int i = 0; i < 20; ++i) {
          const std::string word = "w" + std::to_string(client) + "-" + std::to_string(i);
          right += ask(server.address(), "/" + word).ends_with("\r\n\r\n" + word) ? 1 : 0;
          right += ask(server.address(), "/no").starts_with("HTTP/1.1 403") ? 1 : 0;
          right += ask(server.address(), "/throw").starts_with("HTTP/1.1 500") ? 1 : 0;
        }
      });
    }
    for (auto& client : clients) client.join();
    server.stop(std::chrono::seconds(10));
  }
  EXPECT_EQ(right, 6 * 20 * 3);
  EXPECT_EQ(echo.counts[0], 0);
  EXPECT_EQ(echo.counts[1] + echo.counts[2], 6 * 20 * 2);
}

TEST(Threads, WakeAStreamThatSleeps) {
  Echo echo;
  Server server(listen_on(parse_address("127.0.0.1:0")), echo);
  std::string answer;
  std::thread client([&] { answer = ask(server.address(), "/words"); });
  for (int i = 0; i < Words::kWords; ++i) {
    std::unique_lock lock(echo.words.mutex);
    echo.words.asleep.wait(lock, [&] { return echo.words.sleeper != nullptr; });
    ++echo.words.allowed;
    std::exchange(echo.words.sleeper, nullptr)->wake();
  }
  client.join();
  std::string chunks = "\r\n\r\n";
  for (char letter = 'a'; letter <= 'z'; ++letter) chunks += std::string("1\r\n") + letter + "\r\n";
  EXPECT_TRUE(answer.ends_with(chunks + "0\r\n\r\n")) << answer;
}

TEST(Threads, EndAStreamThatSleepsWhenTheServerStops) {
  Echo echo;
  std::string answer = "nothing yet";
  std::thread client;
  {
    Server server(listen_on(parse_address("127.0.0.1:0")), echo);
    client = std::thread([&, address = server.address()] { answer = ask(address, "/words"); });
    std::unique_lock lock(echo.words.mutex);
    echo.words.asleep.wait(lock, [&] { return echo.words.sleeper != nullptr; });
    lock.unlock();
    server.stop(std::chrono::milliseconds(0));
  }
  client.join();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_FALSE(answer.ends_with("0\r\n\r\n")) << "what was broken off looks whole: " << answer;
  EXPECT_EQ(echo.words.sleeper, nullptr);
}

// How much more comes, at most `enough`, when the time for an answer is over after its first byte.
std::size_t taken_after_a_sweep(const std::string& path, std::size_t enough) {
  Echo echo;
  Server server(listen_on(parse_address("127.0.0.1:0")), echo);
  const files::Fd socket = connect_to(server.address());
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::vector<char> buffer(1 << 20);
  EXPECT_EQ(::recv(socket.get(), buffer.data(), 1, 0), 1);
  server.sweep(std::chrono::steady_clock::now() + Limits{}.answer + std::chrono::seconds(1));
  std::size_t taken = 0;
  while (taken < enough) {
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    taken += static_cast<std::size_t>(count);
  }
  return taken;
}

TEST(Threads, CutOffADownloadThatTakesTooLongAndNoLiveStream) {
  constexpr std::size_t kEnough = 128 << 20;  // more than sockets hold
  EXPECT_LT(taken_after_a_sweep("/download", kEnough), kEnough);
  EXPECT_GE(taken_after_a_sweep("/live", kEnough), kEnough);
}

// Answers nothing until it is let go.
class Stubborn : public Handler {
 public:
  std::variant<Plan, Response> begin(const Request&) override {
    const std::lock_guard lock(mutex);
    ++heads;
    changed.notify_all();
    return Plan{};
  }
  Response answer(const Request&, std::size_t) override {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
    return text_response(200, "done");
  }
  Response refuse(int, const std::exception_ptr& why) override {
    try {
      std::rethrow_exception(why);
    } catch (const fault::Error& error) {
      return text_response(503, error.reason());
    }
  }
  std::mutex mutex;
  std::condition_variable changed;
  int heads = 0, begun = 0;
  bool go_on = false;
};

TEST(Threads, RefuseWhatStillWaitsWhenTheGraceIsOver) {
  Stubborn stubborn;
  std::vector<std::thread> clients;
  std::atomic<int> done = 0, refused = 0;
  {
    Server server(listen_on(parse_address("127.0.0.1:0")), stubborn);
    for (int i = 0; i < 8; ++i)
      clients.emplace_back([&, address = server.address()] {
        const std::string answer = ask(address, "/x");
        done += answer.starts_with("HTTP/1.1 200") ? 1 : 0;
        refused += answer.ends_with("\r\n\r\nstopping") ? 1 : 0;
      });
    {
      std::unique_lock lock(stubborn.mutex);
      stubborn.changed.wait(lock, [&] { return stubborn.heads == 8 && stubborn.begun == static_cast<int>(kWorkers); });
    }
    std::thread stops([&] { server.stop(std::chrono::milliseconds(0)); });
    while (connect_to(server.address())) std::this_thread::yield();
    {
      const std::lock_guard lock(stubborn.mutex);
      stubborn.go_on = true;
    }
    stubborn.changed.notify_all();
    stops.join();
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(done, static_cast<int>(kWorkers));
  EXPECT_EQ(refused, 8 - static_cast<int>(kWorkers));
  EXPECT_EQ(stubborn.begun, static_cast<int>(kWorkers)) << "what came too late was not begun";
}

TEST(Pool, DoesWhatItTookAndRefusesWhatIsTooMuch) {
  std::mutex mutex;
  std::condition_variable changed;
  bool go_on = false;
  int begun = 0, done = 0;
  Pool pool(2, 3);
  const Pool::Work work = [&](std::size_t) {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
    ++done;
  };
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(pool.offer(work));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return begun == 2; });
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.offer(work));
  EXPECT_FALSE(pool.offer(work)) << "three wait already";
  {
    const std::lock_guard lock(mutex);
    go_on = true;
  }
  changed.notify_all();
  pool.stop();
  EXPECT_EQ(done, 5);
  EXPECT_FALSE(pool.offer(work)) << "it has stopped";
}

}  // namespace
}  // namespace stella::http
