// SPDX-License-Identifier: Apache-2.0
// One connection of the service: its request, the process that works for it, how that ends. One thread.
#pragma once

#include <chrono>
#include <string>

#include "appliance/service/peers.hpp"
#include "appliance/service/request.hpp"
#include "bundles/files/fd.hpp"

namespace stella::service {

struct Patience {
  std::chrono::milliseconds request{5000};  // until the request has come
  std::chrono::milliseconds end{120000};    // between a signal and SIGKILL, once the command line is gone
};

class Worker {
 public:
  using Clock = std::chrono::steady_clock;
  // Takes a connection of a person who was admitted; the socket does not wait.
  Worker(files::Fd socket, Person person, const Patience& patience, Clock::time_point now);

  [[nodiscard]] int socket() const noexcept { return socket_.get(); }    // -1: the command line is gone
  [[nodiscard]] int process() const noexcept { return process_.get(); }  // a pidfd; -1: none yet, or it has ended
  [[nodiscard]] const Person& person() const noexcept { return person_; }
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] std::optional<Clock::time_point> deadline() const noexcept { return deadline_; }

  // Something came: the request, a signal to pass on, or the end of the command line (the process gets SIGHUP then).
  void hear(const std::string& home, Clock::time_point now);
  void reap();  // the process has ended: its status goes to the command line
  void expire(Clock::time_point now);
  void stop(Clock::time_point now);  // the service ends: SIGTERM
  // The person is no longer listed: refused, or SIGTERM when the process is at work (a run pauses).
  void send_away(Clock::time_point now);

 private:
  void begin(const std::string& home);
  void refuse(const fault::Error& error);
  void signal(int number);
  files::Fd socket_, process_;
  pid_t pid_ = 0;
  Person person_;
  Patience patience_;
  std::optional<Clock::time_point> deadline_;
  bool is_over_ = false;
};

// What the started process finds in its environment, nothing of the person's but TERM and NO_COLOR.
[[nodiscard]] std::vector<std::string> clean_environment(const std::string& home, const Request& request);

}  // namespace stella::service
