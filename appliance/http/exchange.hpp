// SPDX-License-Identifier: Apache-2.0
// One request and its answer, between the library's callbacks; only this room includes it.
#pragma once

#include <microhttpd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <set>

#include "appliance/http/connections.hpp"
#include "appliance/http/pool.hpp"
#include "appliance/http/server.hpp"

namespace stella::http {

class Sleepers;

// Suspends and resumes one connection, whoever comes first: a stream that says `wait` while somebody wakes it.
class Seat : public Sleeper {
 public:
  Seat(MHD_Connection* connection, Sleepers& all);
  ~Seat() override;
  void wake() override;
  void begin_read();               // a wake() from here on counts
  [[nodiscard]] bool try_sleep();  // false: woken meanwhile, read again
  void cancel();                   // wakes it; is_cancelled() from now on
  [[nodiscard]] bool is_cancelled() const noexcept { return cancelled_; }

 private:
  enum class State { awake, poked, asleep };
  MHD_Connection* connection_;
  Sleepers* all_;
  std::mutex mutex_;
  State state_ = State::awake;
  std::atomic<bool> cancelled_ = false;
};

// All streams that are open: the server ends them before it goes.
class Sleepers {
 public:
  void add(Seat* seat);
  void remove(Seat* seat);
  void cancel_all();

 private:
  std::mutex mutex_;
  std::set<Seat*> all_;
};

struct Server::State {
  Address address;
  Handler* handler;
  Limits limits;
  Connections connections;
  Sleepers sleepers{};
  Pool pool;
  std::atomic<bool> draining = false;
  std::atomic<bool> late = false;  // the grace is over: what still waits is refused
  MHD_Daemon* daemon = nullptr;

  State(Listener listener, Handler& handler_, const Limits& limits_);
  void start(files::Fd listening);
  void stop(std::chrono::milliseconds grace);
};

class Exchange {
 public:
  Exchange(Server::State& server, std::string target) : server_(&server), raw_target_(std::move(target)) {}
  // As the library calls it: with the head, with pieces of the body, after them, and again after a worker is done.
  MHD_Result step(MHD_Connection* connection, const char* method, const char* data, std::size_t* size);

 private:
  MHD_Result read_head(const char* method);
  MHD_Result take_body(const char* data, std::size_t* size);
  MHD_Result finish();
  void compute(std::size_t worker);
  MHD_Result send(Response response);
  [[nodiscard]] Response refusal(int status, const std::exception_ptr& why) const;
  void read_headers();
  void read_peer();

  Server::State* server_;
  std::string raw_target_;
  MHD_Connection* connection_ = nullptr;
  bool begun_ = false, sent_ = false, computing_ = false;
  std::optional<Response> ready_;
  Plan plan_;
  Request request_;
};

// The library's response for ours; null when there is no memory. `seat_for`: streams.
[[nodiscard]] MHD_Response* make_response(Response& response, MHD_Connection* connection, Server::State& server,
                                          bool is_head);

}  // namespace stella::http
