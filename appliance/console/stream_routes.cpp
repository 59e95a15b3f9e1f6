// SPDX-License-Identifier: Apache-2.0
// GET /task-runner/runs/{id}/events and …/logs: live, as Server-Sent Events. What a gap left out is to be had from
// /api/runs/{id}/events and …/log/pieces.
#include <fmt/format.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/stream/source.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;
using stream::Kind;
using stream::Mark;

constexpr std::size_t kMaxPieces = 1 << 20;

Mark mark_of(Kind kind, const std::string& text, const char* name) {
  if (const auto mark = stream::parse_mark(kind, text)) return *mark;
  throw Error(Code::usage, "id", fmt::format("`{}` is no id of this stream", canon::printable(text, 60)), name,
              "Give back an `id` that the stream gave.");
}

std::optional<Mark> maybe_mark(const Visit& visit, Kind kind, const char* name) {
  const auto text = visit.query(name);
  return text && !text->empty() ? std::optional(mark_of(kind, *text, name)) : std::nullopt;
}

stream::Start start_of(const Visit& visit, Kind kind) {
  stream::Start start;
  if (const auto last = visit.request.header("last-event-id"); last && !last->empty())
    start.after = mark_of(kind, *last, "Last-Event-ID");  // a browser's own; it wins over the address it came by first
  else
    start.after = maybe_mark(visit, kind, "after");
  const std::string from = visit.query("from").value_or("start");
  if (from != "start" && from != "end") throw Error(Code::usage, "from", "from is start or end", "from");
  start.at_end = from == "end" && !start.after;
  return start;
}

// A client that has everything of a run that is over is not to come again: 204 ends an EventSource.
bool has_all(Desk& desk, const journal::RunRow& row, Kind kind, const stream::Start& start, clock::Time now) {
  if (!start.after || !stream::is_over(row.state, row.updated, now)) return false;
  return *start.after >= stream::end_of_run(desk.journal(), row, kind);
}

http::Response live(Desk& desk, const Visit& visit, Kind kind) {
  const journal::RunRow row = desk.run_of(visit);
  const stream::Start start = start_of(visit, kind);
  http::Response response;
  if (has_all(desk, row, kind, start, visit.now)) {
    response.status = 204;
    return response;
  }
  const std::string step = kind == Kind::logs ? visit.query("step").value_or("") : "";
  response.headers = {{"Content-Type", "text/event-stream"}, {"X-Accel-Buffering", "no"}};
  response.stream = desk.office().hub.watch({.run = row.id, .kind = kind, .step = step}, start, visit.who.pass);
  return response;
}

http::Response live_events(Desk& desk, const Visit& visit) {
  return live(desk, visit, Kind::events);
}
http::Response live_logs(Desk& desk, const Visit& visit) {
  return live(desk, visit, Kind::logs);
}

http::Response events(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const std::uint64_t after = visit.number("after", 0, std::uint64_t{1} << 53),
                      limit = visit.number("limit", 500, 5000);
  const std::uint64_t until = visit.number("until", std::uint64_t{1} << 53, std::uint64_t{1} << 53);
  Json list = Json::array();
  std::uint64_t next = after;
  const bool more = stream::visit_events(
      desk.journal(), row.id, static_cast<std::int64_t>(after), limit, [&](const journal::Event& event) {
        if (static_cast<std::uint64_t>(event.seq) > until) return;
        list.push_back(canon::parse_json(event.line, Code::journal_tampered, row.id));
        next = static_cast<std::uint64_t>(event.seq);
      });
  return json_response({{"events", std::move(list)}, {"next", next}, {"more", more && next < until}});
}

http::Response pieces(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const auto until = maybe_mark(visit, Kind::logs, "until");
  Mark at = maybe_mark(visit, Kind::logs, "after").value_or(Mark{});
  stream::LogPieces source(row.folder + "/logs", visit.query("step").value_or(""), at);
  Json list = Json::array();
  bool more = false;
  for (std::size_t bytes = 0; !more;) {
    auto piece = source.next();
    if (!piece || (until && piece->end > *until)) break;
    at = piece->end;
    piece->data["id"] = stream::text_of(Kind::logs, at);
    bytes += piece->data.value("text", "").size() + 100;
    list.push_back(std::move(piece->data));
    more = bytes >= kMaxPieces;
  }
  return json_response({{"pieces", std::move(list)}, {"next", stream::text_of(Kind::logs, at)}, {"more", more}});
}

}  // namespace

void add_stream_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/task-runner/runs/{id}/events", .act = live_events, .ends_by_itself = true});
  routes.add({.method = "GET", .pattern = "/task-runner/runs/{id}/logs", .act = live_logs, .ends_by_itself = true});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/events", .act = events});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log/pieces", .act = pieces});
}

}  // namespace stella::console
