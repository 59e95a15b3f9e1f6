// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/logs/end.hpp"
#include "appliance/stream/source.hpp"

namespace stella::stream {
namespace {

constexpr std::size_t kAtOnce = 256;

struct Enough {};  // how a visitor stops the journal's walk

class Events : public Source {
 public:
  Events(const journal::Journal& journal, std::string run, const Mark& after)
      : journal_(&journal), run_(std::move(run)), seq_(static_cast<std::int64_t>(after.first)) {}

  std::optional<Message> next() override {
    if (due_.empty()) {
      visit_events(*journal_, run_, seq_, kAtOnce, [this](const journal::Event& event) { due_.push_back(event); });
      if (due_.empty()) return std::nullopt;
    }
    const journal::Event event = std::move(due_.front());
    due_.pop_front();
    seq_ = event.seq;
    const Mark end{static_cast<std::uint64_t>(event.seq), 0, 0};
    if (event.line.size() + 64 > kLargestMessage)
      return Message{gap_message(Kind::events, run_, {end.first - 1, 0, 0}, end), end};
    return Message{fmt::format("id: {}\ndata: {}\n\n", event.seq, event.line), end};
  }

 private:
  const journal::Journal* journal_;
  std::string run_;
  std::int64_t seq_;
  std::deque<journal::Event> due_;
};

}  // namespace

bool visit_events(const journal::Journal& journal, const std::string& run, std::int64_t after_seq, std::size_t limit,
                  const journal::Journal::Visitor& visit) {
  std::size_t seen = 0;
  try {
    journal.for_each_event(run, after_seq, [&](const journal::Event& event) {
      if (seen++ == limit) throw Enough();
      visit(event);
    });
  } catch (const Enough&) {
    return true;
  }
  return false;
}

Mark end_of_run(const journal::Journal& journal, const journal::RunRow& row, Kind kind) {
  if (kind == Kind::events) return {static_cast<std::uint64_t>(journal.head(row.id).seq), 0, 0};
  const logs::Position end = logs::end_of(row.folder + "/logs");
  return {end.chunk, end.offset, 0};
}

std::unique_ptr<Source> event_source(const journal::Journal& journal, const std::string& run, const Mark& after) {
  return std::make_unique<Events>(journal, run, after);
}

// What is missing can be had from the API, whole.
std::string gap_message(Kind kind, const std::string& run, const Mark& from, const Mark& to) {
  const std::string href =
      fmt::format("/api/runs/{}/{}?after={}&until={}", run, kind == Kind::events ? "events" : "log/pieces",
                  text_of(kind, from), text_of(kind, to));
  const canon::Json data = {{"from", text_of(kind, from)}, {"to", text_of(kind, to)}, {"href", href}};
  return fmt::format("event: gap\nid: {}\ndata: {}\n\n", text_of(kind, to), data.dump());
}

}  // namespace stella::stream
