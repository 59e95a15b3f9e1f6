// SPDX-License-Identifier: Apache-2.0
// `stella serve`: the server from its start to its end. Its caller's thread waits for SIGTERM or SIGINT and does the
// chores meanwhile.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "appliance/http/address.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::console {

struct Office;

// What is done again and again, on the caller's thread: short, and an error is only noted. Adding one is a line in
// chores() (chores.cpp).
struct Chore {
  std::string name;
  std::chrono::seconds every;
  std::function<void()> act;
};

struct Serving {
  http::Address address;
  std::function<void(const http::Address&)> on_ready;       // it listens
  std::function<void(const std::string&)> on_trouble = {};  // a chore failed: a sentence
  std::string textfile = {};  // the metrics are written there, for node_exporter; empty: nowhere
  std::string traces = {};    // a folder for the traces of runs that have ended; empty: none
};
[[nodiscard]] std::vector<Chore> chores(const files::Home& home, const clock::Clock& clock);
// Those that publish metrics and traces as files, where `serving` names a place. The office outlives them.
[[nodiscard]] std::vector<Chore> publishing_chores(Office& office, const Serving& serving);
// Returns after SIGTERM or SIGINT. ERR_USAGE reason `address` when the address is taken.
void serve(const files::Home& home, const clock::Clock& clock, const Serving& serving);

}  // namespace stella::console
