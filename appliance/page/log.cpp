// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "appliance/page/ansi.hpp"

namespace stella::page {
namespace {

using markup::element;
using markup::url_part;

std::string query_of(const LogView& view) {
  return fmt::format("step={}&try={}", url_part(view.step), view.number);
}

Html row(const LogView& view, const LogLine& line) {
  const std::int64_t from = std::max<std::int64_t>(1, line.number - 20);
  return element("div",
                 {{"class", line.is_error ? "line err" : "line"},
                  {"id", fmt::format("L{}", line.number)},
                  {"data-n", line.number}},
                 element("a",
                         {{"class", "n"},
                          {"href", fmt::format("?{}&from={}#L{}", query_of(view), from, line.number)},
                          {"title", line.at},
                          {"tabindex", "-1"}},
                         std::to_string(line.number)),
                 element("code", {}, ansi_line(line.text, static_cast<std::size_t>(line.left_out))));
}

Html rows(const LogView& view, const std::vector<LogLine>& lines) {
  Html all;
  for (const LogLine& one : lines) all += row(view, one);
  return all;
}

Html tries(const LogView& view) {
  if (view.tries < 2) return {};
  Html links;
  for (int number = std::max(1, view.tries - 7); number <= view.tries; ++number) {
    links += element("a",
                     {{"href", log_link(view.run, view.step, number, 0)},
                      {"class", "try"},
                      markup::Attribute::when("aria-current", "true", number == view.number)},
                     fmt::format("try {}", number));
  }
  return element("span", {{"class", "tries"}}, links);
}

std::string found_text(const LogHits& hits) {
  if (!hits.problem.empty()) return hits.problem;
  if (hits.query.empty()) return {};
  return fmt::format("{}{} line{}", hits.is_whole ? "" : "more than ", hits.lines, hits.lines == 1 ? "" : "s");
}

Html search(const LogView& view) {
  const LogHits& hits = view.hits;
  return element(
      "form", {{"class", "search"}, {"role", "search"}, {"method", "get"}, {"action", run_path(view.run)}},
      element("input", {{"type", "hidden"}, {"name", "step"}, {"value", view.step}}),
      element("input", {{"type", "hidden"}, {"name", "try"}, {"value", std::to_string(view.number)}}),
      element("input", {{"id", "find"},
                        {"type", "search"},
                        {"name", "q"},
                        {"value", hits.query},
                        {"placeholder", "Search this log"},
                        {"aria-label", "Search this log (RE2 pattern)"},
                        {"maxlength", "1000"},
                        {"autocomplete", "off"}}),
      element("button", {{"class", "quiet no-script"}}, "Search"),
      element("span", {{"id", "hits"}, {"class", "hits"}, {"role", "status"}}, found_text(hits)),
      element("button",
              {{"id", "hit-back"}, {"type", "button"}, {"class", "quiet needs-script"}, {"title", "Previous hit (N)"}},
              "‹"),
      element("button",
              {{"id", "hit-on"}, {"type", "button"}, {"class", "quiet needs-script"}, {"title", "Next hit (n)"}}, "›"));
}

Html pages(const LogView& view) {
  const std::int64_t last = view.from + static_cast<std::int64_t>(view.lines.size()) - 1;
  Html links;
  const auto link = [&](std::int64_t from, const char* text) {
    links += element("a", {{"href", log_link(view.run, view.step, view.number, from)}}, text) + " ";
  };
  if (view.from > 1) {
    link(1, "first lines");
    link(std::max<std::int64_t>(1, view.from - kLinesOfAPage), "earlier");
  }
  if (last < view.total) {
    link(last + 1, "later");
    link(std::max<std::int64_t>(1, view.total - kLinesOfAPage + 1), "last lines");
  }
  return element("p", {{"class", "pages no-script"}},
                 fmt::format("Lines {} to {} of {}. ", view.lines.empty() ? 0 : view.from, last, view.total), links);
}

Html hit_list(const LogView& view) {
  if (view.hits.shown.empty()) return {};
  return element("details", {{"class", "no-script"}, markup::Attribute::flag("open", true)},
                 element("summary", {}, fmt::format("First {} hits", view.hits.shown.size())),
                 element("div", {{"class", "found"}}, rows(view, view.hits.shown)));
}

Html head(const LogView& view) {
  return element("div", {{"class", "log-head"}},
                 element("h2", {{"id", "log-title"}},
                         view.step.empty() ? Html("Log") : element("span", {{"class", "id"}}, view.step)),
                 tries(view), search(view),
                 element("button",
                         {{"id", "follow"},
                          {"type", "button"},
                          {"class", "quiet needs-script"},
                          {"aria-pressed", "false"},
                          {"title", "Follow (f)"}},
                         "Follow"),
                 element("a",
                         {{"id", "raw"},
                          {"class", "button quiet"},
                          {"href", fmt::format("{}/log/raw?{}", run_path(view.run), query_of(view))},
                          {"download", ""}},
                         "Download"));
}

}  // namespace

Html log_panel(const LogView& view) {
  const bool empty = view.step.empty() || view.total == 0;
  return element("section", {{"id", "log"}, {"class", "log-panel"}, {"aria-labelledby", "log-title"}}, head(view),
                 hit_list(view),
                 element("div",
                         {{"id", "lines"},
                          {"class", "lines"},
                          {"tabindex", "0"},
                          {"role", "region"},
                          {"aria-label", "Log lines"},
                          {"data-step", view.step},
                          {"data-try", view.number},
                          {"data-total", view.total},
                          {"data-from", view.from},
                          {"data-source", run_path(view.run) + "/log"},
                          markup::Attribute::flag("data-live", view.is_live)},
                         empty ? element("p", {{"class", "empty"}},
                                         view.is_live ? "Nothing printed yet." : "This step printed nothing.")
                               : rows(view, view.lines)),
                 pages(view));
}

std::string log_fragment(const LogView& view) {
  return markup::document(element("html", {{"lang", "en"}}, element("head", {}, element("title", {}, "Log")),
                                  element("body",
                                          {{"data-total", view.total},
                                           {"data-from", view.from},
                                           {"data-step", view.step},
                                           {"data-try", view.number},
                                           markup::Attribute::flag("data-live", view.is_live)},
                                          rows(view, view.lines))))
      .bytes();
}

std::string hits_fragment(const LogHits& hits) {
  return markup::document(element("html", {{"lang", "en"}}, element("head", {}, element("title", {}, "Hits")),
                                  element("body", {{"data-numbers", fmt::format("{}", fmt::join(hits.numbers, " "))},
                                                   {"data-said", found_text(hits)}})))
      .bytes();
}

std::string log_link(const std::string& run, const std::string& step, int number, std::int64_t from) {
  return fmt::format("{}?step={}{}{}#log", run_path(run), url_part(step),
                     number > 0 ? fmt::format("&try={}", number) : "", from > 0 ? fmt::format("&from={}", from) : "");
}

}  // namespace stella::page
