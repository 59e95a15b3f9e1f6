// SPDX-License-Identifier: Apache-2.0
// Live views of runs: one thread follows every watched run, its messages are serialised once into a ring that all its
// viewers share, and a viewer is an offset. What a viewer missed before it came is read for it from the disk, no faster
// than it takes it.
//
// Bounded: 256 channels of at most 1 MiB, 2,000 viewers; at most 20 writes a second to each. A viewer that falls out of
// the ring gets `event: gap` with where to find what it missed. watch() and close(): any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "appliance/http/message.hpp"
#include "appliance/stream/mark.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::stream {

struct Subject {
  std::string run;
  Kind kind = Kind::events;
  std::string step = {};  // of logs: one step's only; empty: all
  auto operator<=>(const Subject&) const = default;
};
struct Start {
  std::optional<Mark> after = {};  // nothing: from the beginning
  bool at_end = false;             // only what comes from now on
};

// Whether whoever has this pass may still read. Called by the hub's thread, twice a second for each pass that watches,
// however many viewers have it; what it throws sends them away to ask again.
using Doorkeeper = std::function<bool(const std::string& pass)>;

class Hub {
 public:
  // Without a doorkeeper everybody stays.
  Hub(const files::Home& home, const clock::Clock& clock, Doorkeeper doorkeeper = {});
  Hub(const Hub&) = delete;
  ~Hub();
  // ERR_RUN_BUSY reason `viewers`. The hub outlives the stream. It ends with `event: end` when the pass is no longer
  // good.
  [[nodiscard]] std::unique_ptr<http::Stream> watch(const Subject& subject, const Start& start, std::string pass = {});
  // Ends every stream with a hint to come back; later ones end at once.
  void close();

  struct State;  // of the room

 private:
  std::unique_ptr<State> state_;
};

// Whether the run has ended and its events are not about to grow.
[[nodiscard]] bool is_over(const std::string& state, clock::Time updated, clock::Time now);

}  // namespace stella::stream
