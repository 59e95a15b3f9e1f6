// SPDX-License-Identifier: Apache-2.0
// The first page of a list of runs as the text that GET /api/runs answers. When something was recorded since it was
// made, only the rows of those runs are made anew. One thread, and always the same Journal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "bundles/canon/json.hpp"

namespace stella::console {

// A run as a row of the list.
[[nodiscard]] canon::Json row_json(const journal::RunRow& row, const journal::Hold* hold);
// What `next` says after a page whose last run this is, and how many came before and on it.
[[nodiscard]] std::string cursor_after(const journal::RunRow& last, std::size_t before);

class RunList {
 public:
  // filter: without `since`; its limit is not read. limit: rows of the page, from 1.
  RunList(journal::Journal::Filter filter, std::size_t limit) : filter_(std::move(filter)), limit_(limit) {}
  // {more, next, runs} with a newline, as the journal stands. Valid until the next call.
  [[nodiscard]] const std::string& text(const journal::Journal& journal);

 private:
  struct Row {
    journal::RunRow run;
    std::string text;
  };
  void read_all(const journal::Journal& journal);
  [[nodiscard]] bool take_changes(const journal::Journal& journal);
  [[nodiscard]] bool take(const journal::RunRow& run);
  [[nodiscard]] bool fits(const journal::RunRow& run) const;
  [[nodiscard]] Row row_of(const journal::RunRow& run) const;
  void write();

  journal::Journal::Filter filter_;
  std::size_t limit_;
  std::vector<Row> rows_ = {};  // one more than the page has, when there is one
  std::map<std::string, journal::Hold> holds_ = {};
  std::int64_t version_ = -1, revision_ = 0, removal_ = 0;  // that were seen
  std::string text_ = {};
};

}  // namespace stella::console
