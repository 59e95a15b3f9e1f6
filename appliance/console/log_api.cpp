// SPDX-License-Identifier: Apache-2.0
// One try's log by lines, for a page that shows a part of it: a stretch, the whole as a download, and a search. Memory
// grows with what is asked for, never with the log.
#include <fmt/format.h>
#include <re2/re2.h>

#include <chrono>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/logs/lines.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxCount = 5000, kMaxHits = 1000;
constexpr std::size_t kMaxPattern = 4096, kShown = 400, kMaxStretch = 4 << 20;
constexpr std::chrono::seconds kLongest{5};

logs::OneTry try_of(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  logs::OneTry one{row.folder + "/logs", visit.query("step").value_or(""), 0};
  if (one.step.empty()) throw Error(Code::usage, "step", "the step is missing", "step");
  one.number = static_cast<int>(visit.number("try", 0, 1000000));
  if (one.number > 0) return one;
  one.number = 1;
  for (const auto& extent : logs::tries(one.folder)) {  // the newest that printed something
    if (extent.step == one.step) one.number = std::max(one.number, extent.number);
  }
  return one;
}

http::Response stretch(Desk& desk, const Visit& visit) {
  const logs::OneTry one = try_of(desk, visit);
  const std::size_t count = visit.number("count", 500, kMaxCount);
  const std::uint64_t from = visit.number("from", 0, std::uint64_t{1} << 53);
  // Without `from`: the end of it.
  const logs::Stretch found = from == 0 ? logs::read_end(one, count) : logs::read_lines(one, from, count);
  Json lines = Json::array();
  std::size_t bytes = 0;
  for (const auto& line : found.lines) {
    if ((bytes += line.text.size()) > kMaxStretch) break;  // the client asks for the rest
    Json object = {{"n", line.number}, {"text", line.text}, {"at", clock::format_millis(line.at)}};
    if (line.stream == logs::Stream::err) object["err"] = true;
    if (line.left_out > 0) object["leftOut"] = line.left_out;
    lines.push_back(std::move(object));
  }
  return json_response({{"step", one.step},
                        {"try", one.number},
                        {"total", found.total},
                        {"ended", found.has_ended},
                        {"lines", std::move(lines)}});
}

re2::RE2::Options options_for(const Visit& visit) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  options.set_literal(visit.query("regex").value_or("1") == "0");
  options.set_case_sensitive(visit.query("case").value_or("1") != "0");
  return options;
}

// Counts every hit, lists the first of them; after five seconds says where to go on.
http::Response search(Desk& desk, const Visit& visit) {
  const logs::OneTry one = try_of(desk, visit);
  const std::string text = visit.query("q").value_or("");
  if (text.empty() || text.size() > kMaxPattern)
    throw Error(Code::usage, "q", fmt::format("a pattern has 1 to {} bytes", kMaxPattern), "q");
  const re2::RE2 pattern(text, options_for(visit));
  if (!pattern.ok())
    throw Error(Code::usage, "q", fmt::format("that is no pattern: {}", canon::printable(pattern.error(), 200)), "q",
                "Patterns are RE2's; regex=0 takes the text as it is.");
  const std::uint64_t from = std::max<std::uint64_t>(1, visit.number("from", 1, std::uint64_t{1} << 53));
  const std::uint64_t limit = visit.number("limit", 200, kMaxHits);
  const auto until = std::chrono::steady_clock::now() + kLongest;
  Json hits = Json::array();
  std::uint64_t count = 0, looked = 0;
  Json next;
  logs::for_each_line(one, [&](const logs::TextLine& line) {
    if (line.number < from) return true;
    if (++looked % 4096 == 0 && std::chrono::steady_clock::now() > until) {
      next = line.number;
      return false;
    }
    re2::StringPiece place;
    const re2::StringPiece whole(line.text);
    if (!pattern.Match(whole, 0, whole.size(), re2::RE2::UNANCHORED, &place, 1)) return true;
    if (++count <= limit)
      hits.push_back({{"n", line.number},
                      {"start", place.data() - whole.data()},
                      {"length", place.size()},
                      {"text", line.text.substr(0, kShown)}});
    return true;
  });
  return json_response({{"step", one.step},
                        {"try", one.number},
                        {"count", count},
                        {"hits", std::move(hits)},
                        {"next", std::move(next)}});
}

// The text as it is stored, redacted; read as the client takes it.
class Download : public http::Stream {
 public:
  explicit Download(const logs::OneTry& one) : reader_(one.folder, {.step = one.step, .number = one.number}) {}
  http::Portion read(std::span<char> into, http::Sleeper&) override {
    while (rest_.empty()) {
      const auto piece = reader_.next();
      if (!piece) return {0, http::Next::end};
      rest_ = piece->bytes;
    }
    const std::size_t count = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), count, into.begin());
    rest_.remove_prefix(count);
    return {count, http::Next::more};
  }

 private:
  logs::Reader reader_;
  std::string_view rest_;  // of the reader's last piece
};

http::Response download(Desk& desk, const Visit& visit) {
  const logs::OneTry one = try_of(desk, visit);
  http::Response response;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                      {"Content-Disposition", fmt::format("attachment; filename*=UTF-8''{}.{}.log",
                                                          http::escape_segment(one.step), one.number)}};
  response.stream = std::make_unique<Download>(one);
  return response;
}

}  // namespace

void add_log_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log", .act = stretch});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log/search", .act = search});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log/raw", .act = download});
}

}  // namespace stella::console
