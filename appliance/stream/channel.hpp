// SPDX-License-Identifier: Apache-2.0
// What the hub's thread and the server's threads share; only this room includes it. Everything in Viewer and Channel
// but `source` is under State::mutex; `source` belongs to the hub's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "appliance/stream/hub.hpp"
#include "appliance/stream/ring.hpp"
#include "appliance/stream/source.hpp"

namespace stella::stream {

using std::chrono::steady_clock;

inline constexpr std::size_t kRingBytes = 1 << 20, kChannels = 256, kViewers = 2000;
inline constexpr std::uint64_t kHistory = 256 << 10;  // a log up to this size is held from its beginning
inline constexpr std::size_t kBehind = 64 << 10;      // read ahead for a viewer that catches up
inline constexpr std::size_t kPerTick = 256 << 10;    // of one channel
inline constexpr std::size_t kSources = 8;            // open at once for viewers that catch up
inline constexpr std::chrono::milliseconds kTick{50};
inline constexpr std::chrono::seconds kHeartbeat{15};
inline constexpr std::chrono::milliseconds kLookAtPasses{500};

enum class Mode {
  arriving,  // the hub's thread has not looked at it yet
  catching,  // reads what was before, from its own buffer
  live,      // reads the channel's ring
  ending,    // what is in `pending` and the buffer, then the end
};

struct Channel {
  Subject subject;
  Ring ring;
  std::unique_ptr<Source> source;
  std::size_t viewers = 0;
  bool over = false;  // the run has ended and everything was read
  std::string state = {};
  clock::Time updated{};
  bool more = true;  // the last look did not read to the end
  steady_clock::time_point used = steady_clock::now();
};

struct Viewer {
  Subject subject;
  Start start;
  std::string pass;
  Mode mode = Mode::arriving;
  Channel* channel = nullptr;
  Mark at = {};              // after the last whole message: live, that went out; catching, that was read for it
  std::uint64_t offset = 0;  // live, or joined: into the ring
  bool within = false;       // live: stands within a message
  std::string pending = {};  // goes out first
  std::string behind = {};   // catching: read for it
  std::size_t taken = 0;     // of `behind`
  bool joined = false;       // catching: the ring goes on where `behind` ends
  std::unique_ptr<Source> source = {};
  std::uint64_t served = 0;          // the turn in which something was read for it
  http::Sleeper* sleeper = nullptr;  // asleep
  bool gone = false;                 // its stream was destroyed
  steady_clock::time_point last_write = steady_clock::now();
};

struct Hub::State {
  State(const files::Home& home_, const clock::Clock& clock_, Doorkeeper doorkeeper_)
      : home(home_), clock(&clock_), doorkeeper(std::move(doorkeeper_)) {}
  files::Home home;
  const clock::Clock* clock;
  Doorkeeper doorkeeper;
  std::mutex mutex{};
  std::condition_variable changed{};
  std::list<Viewer> viewers{};
  std::map<Subject, std::unique_ptr<Channel>> channels{};
  bool closing = false, arrivals = false;
  std::thread thread{};
  // Of the hub's thread.
  std::optional<journal::Journal> journal{};
  std::int64_t version = -1;

  http::Portion read(Viewer& viewer, std::span<char> into, http::Sleeper& sleeper);
  void follow();

 private:
  void tick();
  void look_at_passes();
  void settle_arrivals();
  void settle(Viewer& viewer);
  Channel* channel_of(const Subject& subject);  // null: there are too many
  void advance(Channel& channel, bool fresh);
  void catch_up();
  void read_behind(Viewer& viewer);
  void wake_all();
  void sweep();
  void end(Viewer& viewer, std::string_view said) noexcept;
  template <class Work>
  void guarded(const Subject& subject, const Work& work);
  void break_off() noexcept;
  [[nodiscard]] Mark end_of(const Subject& subject);
  [[nodiscard]] std::unique_ptr<Source> source_of(const Subject& subject, const Mark& after);
  http::Portion read_live(Viewer& viewer, std::span<char> into);
  std::uint64_t turn_ = 0;
  steady_clock::time_point next_look_{};
};

inline constexpr std::string_view kComeBack = "retry: 1000\nevent: restart\ndata: {}\n\n";
void wake(Viewer& viewer);                            // the mutex is held
[[nodiscard]] bool is_between(const Viewer& viewer);  // what went out so far ends with a whole message
[[nodiscard]] std::string end_message(const Channel& channel);

}  // namespace stella::stream
