// SPDX-License-Identifier: Apache-2.0
// The viewers' side: what the server's thread calls.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "appliance/stream/channel.hpp"
#include "bundles/fault/error.hpp"

namespace stella::stream {
namespace {

class View : public http::Stream {
 public:
  View(Hub::State& hub, std::list<Viewer>::iterator viewer) : hub_(&hub), viewer_(viewer) {}
  View(const View&) = delete;
  ~View() override {
    const std::lock_guard lock(hub_->mutex);
    viewer_->gone = true;
    viewer_->sleeper = nullptr;
  }
  http::Portion read(std::span<char> into, http::Sleeper& sleeper) override {
    const std::lock_guard lock(hub_->mutex);
    return hub_->read(*viewer_, into, sleeper);
  }

 private:
  Hub::State* hub_;
  std::list<Viewer>::iterator viewer_;
};

std::size_t take(std::string& from, std::size_t at, std::span<char> into) {
  const std::size_t count = std::min(into.size(), from.size() - at);
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
  return count;
}

}  // namespace

void wake(Viewer& viewer) {
  if (viewer.sleeper == nullptr) return;
  http::Sleeper* sleeper = viewer.sleeper;
  viewer.sleeper = nullptr;
  sleeper->wake();
}

std::string end_message(const Channel& channel) {
  const canon::Json data = {{"state", channel.state}, {"runId", channel.subject.run}};
  return fmt::format("event: end\ndata: {}\n\n", data.dump());
}

// From the ring. A viewer that fell out of it while it stood within a message breaks off, so that the half is not taken
// for a whole; else it is told what it missed.
http::Portion Hub::State::read_live(Viewer& viewer, std::span<char> into) {
  const Ring& ring = viewer.channel->ring;
  if (viewer.offset < ring.tail()) {
    if (viewer.within) throw std::runtime_error("the viewer was too slow");
    viewer.pending = gap_message(viewer.subject.kind, viewer.subject.run, viewer.at, ring.base());
    viewer.offset = ring.tail();
    viewer.at = ring.base();
    return {};
  }
  const std::size_t count = ring.copy(viewer.offset, into);
  viewer.offset += count;
  const auto mark = ring.mark_at(viewer.offset);
  viewer.within = !mark;
  if (mark) viewer.at = *mark;
  if (count == 0 && viewer.channel->over) {
    viewer.pending = end_message(*viewer.channel);
    viewer.mode = Mode::ending;
  }
  return {count, http::Next::more};
}

http::Portion Hub::State::read(Viewer& viewer, std::span<char> into, http::Sleeper& sleeper) {
  viewer.sleeper = nullptr;
  viewer.last_write = steady_clock::now();
  if (viewer.mode == Mode::catching && viewer.joined && viewer.taken == viewer.behind.size()) {
    viewer.mode = Mode::live;
    viewer.joined = false;
    std::string().swap(viewer.behind);
    viewer.taken = 0;
  }
  if (viewer.mode == Mode::live && viewer.pending.empty()) {
    if (const auto portion = read_live(viewer, into); portion.bytes > 0) return portion;
  }
  if (!viewer.pending.empty()) {
    const std::size_t count = take(viewer.pending, 0, into);
    viewer.pending.erase(0, count);
    return {count, http::Next::more};
  }
  if (viewer.taken < viewer.behind.size()) {
    const std::size_t count = take(viewer.behind, viewer.taken, into);
    viewer.taken += count;
    return {count, http::Next::more};
  }
  if (viewer.mode == Mode::ending) return {0, http::Next::end};
  viewer.sleeper = &sleeper;
  return {0, http::Next::wait};
}

std::unique_ptr<http::Stream> Hub::watch(const Subject& subject, const Start& start, std::string pass) {
  const std::lock_guard lock(state_->mutex);
  if (state_->viewers.size() >= kViewers)
    throw fault::Error(fault::Code::run_busy, "viewers", "too many viewers watch already");
  state_->viewers.push_back({.subject = subject, .start = start, .pass = std::move(pass)});
  const auto viewer = std::prev(state_->viewers.end());
  viewer->pending = "retry: 2000\n\n";
  if (state_->closing) {
    viewer->pending = kComeBack;
    viewer->mode = Mode::ending;
  }
  state_->arrivals = true;
  state_->changed.notify_one();
  return std::make_unique<View>(*state_, viewer);
}

bool is_between(const Viewer& viewer) {
  return viewer.mode == Mode::arriving ||
         (viewer.pending.empty() && !viewer.within && viewer.taken == viewer.behind.size());
}

// A message that is half out stays half: the client drops it and asks again from the one before.
void Hub::close() {
  const std::lock_guard lock(state_->mutex);
  state_->closing = true;
  for (Viewer& viewer : state_->viewers) {
    if (viewer.mode == Mode::ending) continue;
    viewer.pending = is_between(viewer) ? kComeBack : "";
    viewer.behind.clear();
    viewer.taken = 0;
    viewer.mode = Mode::ending;  // its source is the other thread's
    wake(viewer);
  }
  state_->changed.notify_one();
}

Hub::Hub(const files::Home& home, const clock::Clock& clock, Doorkeeper doorkeeper)
    : state_(std::make_unique<State>(home, clock, std::move(doorkeeper))) {
  state_->thread = std::thread([this] { state_->follow(); });
}

Hub::~Hub() {
  close();
  state_->thread.join();
}

}  // namespace stella::stream
