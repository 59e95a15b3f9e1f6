// SPDX-License-Identifier: Apache-2.0
// The log of one try of one step for the console: stretches of its lines, a search over all of them, all of it as a
// file.
#include <fmt/format.h>
#include <re2/re2.h>

#include "appliance/console/page_view.hpp"
#include "appliance/logs/lines.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxStretch = 1000, kMaxPattern = 1000, kMaxNumbers = 1000;
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 53;

http::Response html(std::string text) {
  http::Response response;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = std::move(text);
  return response;
}

logs::OneTry try_of(const journal::RunRow& row, const Visit& visit) {
  return {row.folder + "/logs", visit.query("step").value_or(""), static_cast<int>(visit.number("try", 1, 1000000))};
}

http::Response lines(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const logs::OneTry one = try_of(row, visit);
  const std::uint64_t from = visit.number("from", 1, kMaxNumber);
  const logs::Stretch stretch = logs::read_lines(one, from, visit.number("count", 200, kMaxStretch));
  page::LogView view{.run = row.id,
                     .step = one.step,
                     .number = one.number,
                     .total = static_cast<std::int64_t>(stretch.total),
                     .from = static_cast<std::int64_t>(from)};
  view.is_live = !stretch.has_ended && row.state == "running";
  for (const logs::TextLine& line : stretch.lines) view.lines.push_back(shown_line(line));
  return html(page::log_fragment(view));
}

}  // namespace

page::LogHits find_in_log(const logs::OneTry& one, const std::string& query, std::size_t shown) {
  page::LogHits hits{.query = query};
  if (query.empty()) return hits;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(false);
  options.set_max_mem(8 << 20);
  const re2::RE2 pattern(query.substr(0, kMaxPattern), options);
  if (!pattern.ok()) {
    hits.problem = "no pattern: " + canon::printable(pattern.error(), 200);
    return hits;
  }
  logs::for_each_line(one, [&](const logs::TextLine& line) {
    if (!re2::RE2::PartialMatch(line.text, pattern)) return true;
    ++hits.lines;
    if (hits.numbers.size() < kMaxNumbers) hits.numbers.push_back(static_cast<std::int64_t>(line.number));
    if (hits.shown.size() < shown) hits.shown.push_back(shown_line(line));
    return true;
  });
  return hits;
}

namespace {

http::Response search(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  return html(page::hits_fragment(find_in_log(try_of(row, visit), visit.query("q").value_or(""), 0)));
}

std::string file_name(const journal::RunRow& row, const logs::OneTry& one) {
  std::string name = fmt::format("{}.{}.{}.log", row.id, one.step, one.number);
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return name;
}

// The try's text as it is kept: redacted when it was written, control characters and all. Never shown as a page.
class Whole : public http::Stream {
 public:
  explicit Whole(const logs::OneTry& one) : reader_(one.folder, {.step = one.step, .number = one.number}) {}
  http::Portion read(std::span<char> into, http::Sleeper&) override {
    while (at_ == held_.size()) {
      const auto piece = reader_.next();
      if (!piece) return {0, http::Next::end};
      held_ = piece->bytes;
      at_ = 0;
    }
    const std::size_t size = std::min(into.size(), held_.size() - at_);
    std::copy_n(held_.begin() + static_cast<std::ptrdiff_t>(at_), size, into.begin());
    at_ += size;
    return {size, http::Next::more};
  }

 private:
  logs::Reader reader_;
  std::string held_;
  std::size_t at_ = 0;
};

http::Response raw(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const logs::OneTry one = try_of(row, visit);
  http::Response response;
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", file_name(row, one))}};
  response.stream = std::make_unique<Whole>(one);
  return response;
}

}  // namespace

void add_page_log_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/log", .act = lines});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/log/search", .act = search});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/log/raw", .act = raw});
}

}  // namespace stella::console
