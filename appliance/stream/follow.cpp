// SPDX-License-Identifier: Apache-2.0
// The hub's thread: reads what is new and hands it out, twenty times a second while anybody watches.
#include <fmt/format.h>

#include <algorithm>

#include "appliance/journal/states.hpp"
#include "appliance/stream/channel.hpp"
#include "bundles/fault/error.hpp"

namespace stella::stream {
namespace {

constexpr std::int64_t kEventsHeld = 2000;
constexpr std::chrono::milliseconds kQuiet{1500};  // the seal follows the end of a run
constexpr std::chrono::seconds kKeepChannel{5};

}  // namespace

bool is_over(const std::string& state, clock::Time updated, clock::Time now) {
  // A clock that was set back keeps nobody waiting.
  return (journal::is_final(state) || state == "removed") && (now - updated > kQuiet || now < updated);
}

std::unique_ptr<Source> Hub::State::source_of(const Subject& subject, const Mark& after) {
  if (subject.kind == Kind::events) return event_source(*journal, subject.run, after);
  return log_source(journal->need(subject.run).folder + "/logs", subject.step, after);
}

Mark Hub::State::end_of(const Subject& subject) {
  return end_of_run(*journal, journal->need(subject.run), subject.kind);
}

Channel* Hub::State::channel_of(const Subject& subject) {
  if (const auto found = channels.find(subject); found != channels.end()) return found->second.get();
  if (channels.size() >= kChannels) return nullptr;
  Mark base;
  if (subject.kind == Kind::events) {
    const std::int64_t head = journal->head(subject.run).seq;
    base.first = static_cast<std::uint64_t>(std::max<std::int64_t>(0, head - kEventsHeld));
  } else {
    base = mark_near_end(journal->need(subject.run).folder + "/logs", kHistory);
  }
  auto made = std::make_unique<Channel>(
      Channel{.subject = subject, .ring = Ring(kRingBytes, base), .source = source_of(subject, base)});
  advance(*made, true);
  const std::lock_guard lock(mutex);
  return channels.emplace(subject, std::move(made)).first->second.get();
}

void Hub::State::settle(Viewer& viewer) {
  Channel* channel = channel_of(viewer.subject);
  const Mark end = channel == nullptr ? Mark{} : end_of(viewer.subject);
  const std::lock_guard lock(mutex);
  if (viewer.mode != Mode::arriving) return;  // closed meanwhile
  if (channel == nullptr) {
    viewer.mode = Mode::ending;
    viewer.pending = kComeBack;
    return;
  }
  viewer.channel = channel;
  ++channel->viewers;
  const Mark wanted = viewer.start.after.value_or(Mark{});
  const auto place = viewer.start.at_end ? std::optional(channel->ring.head()) : channel->ring.find(wanted);
  viewer.mode = place ? Mode::live : Mode::catching;
  viewer.at = viewer.start.at_end ? channel->ring.last() : wanted;
  viewer.offset = place.value_or(0);
  if (place || wanted <= end) return;
  // An id that this home never gave: what was there is lost, say so and go on.
  viewer.pending += gap_message(viewer.subject.kind, viewer.subject.run, wanted, channel->ring.last());
  viewer.mode = Mode::live;
  viewer.offset = channel->ring.head();
  viewer.at = channel->ring.last();
}

// The mutex is held. The last message is `said`, unless the viewer stands within another.
void Hub::State::end(Viewer& viewer, std::string_view said) noexcept {
  viewer.source.reset();
  if (viewer.mode == Mode::ending) return;
  viewer.pending = is_between(viewer) ? said : "";
  viewer.behind.clear();
  viewer.taken = 0;
  viewer.mode = Mode::ending;
  wake(viewer);
}

// What one run's damaged log throws concerns its viewers only; a journal that cannot be read concerns all.
template <class Work>
void Hub::State::guarded(const Subject& subject, const Work& work) {
  try {
    work();
  } catch (const fault::Error& error) {
    if (error.reason() != "log" && error.code() != fault::Code::run_not_found) throw;
    const canon::Json data = {{"code", fault::info(error.code()).name}, {"runId", subject.run}};
    const std::string said = fmt::format("event: trouble\ndata: {}\n\n", data.dump());
    const std::lock_guard lock(mutex);
    for (Viewer& viewer : viewers) {
      if (viewer.subject == subject) end(viewer, said);
    }
  }
}

void Hub::State::settle_arrivals() {
  std::vector<Viewer*> arrived;
  {
    const std::lock_guard lock(mutex);
    arrivals = false;
    for (Viewer& viewer : viewers) {
      if (viewer.mode == Mode::arriving && !viewer.gone) arrived.push_back(&viewer);
    }
  }
  for (Viewer* viewer : arrived) guarded(viewer->subject, [&] { settle(*viewer); });
}

// Read without the lock, handed out with it.
void Hub::State::advance(Channel& channel, bool fresh) {
  if (fresh) {
    try {
      const journal::RunRow row = journal->need(channel.subject.run);
      channel.state = row.state;
      channel.updated = row.updated;
    } catch (const fault::Error& error) {
      if (error.code() != fault::Code::run_not_found) throw;
      channel.state = "removed";
    }
  }
  const bool over = is_over(channel.state, channel.updated, clock->now());
  std::vector<Message> found;
  std::size_t bytes = 0;
  if (fresh || channel.more || channel.subject.kind == Kind::logs || over != channel.over) {
    channel.more = false;
    while (auto message = channel.source->next()) {
      bytes += message->text.size();
      found.push_back(std::move(*message));
      if (bytes < kPerTick) continue;
      channel.more = true;
      break;
    }
  }
  const std::lock_guard lock(mutex);
  for (const Message& message : found) channel.ring.append(message.text, message.end);
  channel.over = over && !channel.more;
  if (channel.viewers > 0) channel.used = steady_clock::now();
}

// The ring is changed by this thread only: it may look at it without the lock.
void Hub::State::read_behind(Viewer& viewer) {
  const Ring& ring = viewer.channel->ring;
  std::string text;
  std::optional<std::uint64_t> join = ring.find(viewer.at);
  bool at_end = false;
  if (!viewer.source && !join) viewer.source = source_of(viewer.subject, viewer.at);
  while (!join && text.size() < kBehind && viewer.at < ring.last()) {
    auto message = viewer.source->next();
    if (!message) {
      at_end = true;
      break;
    }
    text += message->text;
    viewer.at = message->end;
    join = ring.find(viewer.at);
  }
  const std::lock_guard lock(mutex);
  viewer.served = ++turn_;
  viewer.behind.erase(0, viewer.taken);
  viewer.taken = 0;
  viewer.behind += text;
  if (join) {
    viewer.joined = true;
    viewer.offset = *join;
    viewer.source.reset();
  } else if ((at_end || viewer.at >= ring.last()) && viewer.channel->over) {
    viewer.behind += end_message(*viewer.channel);
    viewer.mode = Mode::ending;
  }
}

void Hub::State::catch_up() {
  std::vector<Viewer*> hungry;
  {
    const std::lock_guard lock(mutex);
    for (Viewer& viewer : viewers) {
      if (viewer.mode == Mode::catching && !viewer.gone && !viewer.joined &&
          viewer.behind.size() - viewer.taken < kBehind / 4)
        hungry.push_back(&viewer);
    }
  }
  std::ranges::sort(hungry, {}, &Viewer::served);
  const std::size_t turns = std::min(hungry.size(), kSources);
  for (std::size_t i = 0; i < turns; ++i) {
    guarded(hungry[i]->subject, [&] { read_behind(*hungry[i]); });
    if (hungry.size() > kSources) hungry[i]->source.reset();  // an open log takes memory: others wait for theirs
  }
}

void Hub::State::wake_all() {
  const auto now = steady_clock::now();
  const std::lock_guard lock(mutex);
  for (Viewer& viewer : viewers) {
    if (viewer.sleeper == nullptr) continue;
    const bool live =
        viewer.mode == Mode::live && (viewer.offset < viewer.channel->ring.head() || viewer.channel->over);
    const bool due = now - viewer.last_write >= kHeartbeat;
    const bool some = !viewer.pending.empty() || viewer.taken < viewer.behind.size() || viewer.joined;
    if (due && !live && !some && viewer.mode != Mode::ending) viewer.pending = ":\n\n";
    if (due || live || some || viewer.mode == Mode::ending) wake(viewer);
  }
}

void Hub::State::sweep() {
  const auto now = steady_clock::now();
  const std::lock_guard lock(mutex);
  for (auto viewer = viewers.begin(); viewer != viewers.end();) {
    if (viewer->gone && viewer->channel != nullptr) --viewer->channel->viewers;
    viewer = viewer->gone ? viewers.erase(viewer) : std::next(viewer);
  }
  std::erase_if(channels,
                [&](const auto& one) { return one.second->viewers == 0 && now - one.second->used > kKeepChannel; });
}

void Hub::State::tick() {
  look_at_passes();
  if (!journal) journal.emplace(journal::Journal::open(home));
  const std::int64_t seen = journal->data_version();
  const bool fresh = seen != version;
  version = seen;
  sweep();
  for (const auto& one : channels) {
    if (one.second->viewers > 0) guarded(one.first, [&] { advance(*one.second, fresh); });
  }
  settle_arrivals();
  catch_up();
  wake_all();
}

// Who watches is told to come back, and everything is opened anew.
void Hub::State::break_off() noexcept {
  const std::lock_guard lock(mutex);
  for (Viewer& viewer : viewers) {
    end(viewer, kComeBack);
    viewer.channel = nullptr;
  }
  channels.clear();
  journal.reset();
  version = -1;
}

void Hub::State::follow() {
  auto next = steady_clock::now();
  for (;;) {
    {
      std::unique_lock lock(mutex);
      const bool idle = viewers.empty() && channels.empty();
      const auto called = [this] { return closing || arrivals; };
      if (idle)
        changed.wait(lock, called);
      else
        changed.wait_until(lock, next, [this] { return closing; });
      if (closing) return;
    }
    next = steady_clock::now() + kTick;
    try {
      tick();
    } catch (const std::exception&) {
      break_off();
    }
  }
}

}  // namespace stella::stream
