// SPDX-License-Identifier: Apache-2.0
// The console's server from its start to its end, beside whatever else its process does. One thread; the server's own
// threads are its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "appliance/chores/list.hpp"
#include "appliance/http/address.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::console {

struct Office;

struct Serving {
  http::Address address;
  std::function<void(const http::Address&)> on_ready;  // it listens
  chores::Trouble on_trouble = {};                     // publishing failed, or no session works
  std::string textfile = {};  // the metrics are written there, for node_exporter; empty: nowhere
  std::string traces = {};    // a folder for the traces of runs that have ended; empty: none
};
// Those that publish metrics and traces as files, where `serving` names a place. The office outlives them.
[[nodiscard]] std::vector<chores::Chore> publishing_chores(Office& office, const Serving& serving);

class Server {
 public:
  // Listens, and answers from now on. SIGTERM and SIGINT are blocked by the caller before. The clock outlives it.
  // ERR_USAGE reason `address` when the address is taken.
  Server(const files::Home& home, const clock::Clock& clock, const Serving& serving);
  ~Server();
  void turn(chores::Moment now);  // lets go of idle connections, publishes; called every half second or so
  void close();                   // streams end, answers are finished: ten seconds at most

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stella::console
