// SPDX-License-Identifier: Apache-2.0
// The book of what a step tried and was not let do. Bounded: 1,000 different attempts by name, the rest by number.
// One step, one thread. Program and host names are the step's text and are made printable here.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "appliance/sandbox/step.hpp"

namespace stella::sandbox {

using Instant = std::chrono::steady_clock::time_point;
using FindProgram = std::function<std::string()>;  // costs a walk through /proc: asked once per different attempt

class Attempts {
 public:
  // The same protocol, host (or address) and port again only counts.
  void connection(const std::string& protocol, const std::string& host, const std::string& address, int port,
                  const FindProgram& find_program);
  // A question for an unlisted name. It becomes part of the connection that follows it; when none does within a second,
  // it stands for itself. `counts` false: only the program is remembered (policy `dns: note`).
  void question(const std::string& name, bool counts, Instant now, const FindProgram& find_program);
  void unnamed(std::uint64_t many) { unnamed_ += many; }

  // Attempts that nobody was told of yet; the questions among them once they are old enough.
  [[nodiscard]] std::vector<Blocked> take_new(Instant now);
  [[nodiscard]] std::vector<Blocked> all() const;  // in the order of their first time
  [[nodiscard]] std::uint64_t unnamed() const noexcept { return unnamed_; }
  [[nodiscard]] bool any() const noexcept { return !entries_.empty() || !waiting_.empty() || unnamed_ > 0; }
  // The step is over: what waited for a connection stands for itself.
  void close();

 private:
  struct Waiting {
    Blocked blocked;
    Instant asked;
  };
  using Key = std::tuple<std::string, std::string, int>;
  void add(Blocked blocked);
  std::vector<Blocked> entries_;
  std::map<Key, std::size_t> places_;
  std::map<std::string, Waiting> waiting_;     // questions without a connection so far
  std::map<std::string, std::string> askers_;  // name -> program, for the connection that follows
  std::size_t told_ = 0;
  std::uint64_t unnamed_ = 0;
};

}  // namespace stella::sandbox
