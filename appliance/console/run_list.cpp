// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/run_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "appliance/run/summary.hpp"

namespace stella::console {
namespace {

using canon::Json;
using journal::Journal;
using journal::RunRow;

constexpr std::size_t kFew = 64;  // more changes than that: the list is read anew

// The journal tells what came after a number, not the last number: doubled until nothing is after it, then halved.
std::int64_t last_revision(const Journal& journal) {
  const auto is_before_some = [&](std::int64_t number) { return !journal.changes(number, 1).empty(); };
  if (!is_before_some(0)) return 0;
  std::int64_t above = 1;
  while (is_before_some(above)) above *= 2;
  std::int64_t below = above / 2;
  while (below + 1 < above) {
    const std::int64_t middle = below + (above - below) / 2;
    (is_before_some(middle) ? below : above) = middle;
  }
  return above;
}

bool is_newer(const RunRow& one, const RunRow& other) {
  return std::pair(one.created, one.id) > std::pair(other.created, other.id);
}

bool same(const journal::Hold& one, const journal::Hold& other) {
  return one.who == other.who && one.reason == other.reason && one.at == other.at;
}

std::map<std::string, journal::Hold> holds_in(const Journal& journal) {
  std::map<std::string, journal::Hold> holds;
  for (auto& hold : journal.holds()) holds[hold.run] = hold;
  return holds;
}

}  // namespace

Json row_json(const RunRow& row, const journal::Hold* hold) {
  Json one = run::short_json(row);
  one["hold"] = Json();
  if (hold != nullptr) one["hold"] = {{"who", hold->who}, {"reason", hold->reason}, {"at", clock::format(hold->at)}};
  return one;
}

std::string cursor_after(const RunRow& last, std::size_t before) {
  return fmt::format("{}.{}.{}", last.created.time_since_epoch().count(), before, last.id);
}

bool RunList::fits(const RunRow& run) const {
  const auto is = [](const std::string& wanted, const std::string& has) { return wanted.empty() || wanted == has; };
  return is(filter_.tenant, run.tenant) && is(filter_.state, run.state) && is(filter_.pack, run.pack);
}

RunList::Row RunList::row_of(const RunRow& run) const {
  const auto hold = holds_.find(run.id);
  const Json json = row_json(run, hold == holds_.end() ? nullptr : &hold->second);
  return {run, json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

// The numbers first: what comes meanwhile is seen next time, and taking a run twice changes nothing.
void RunList::read_all(const Journal& journal) {
  revision_ = last_revision(journal);
  for (const auto& removed : journal.remains(removal_)) removal_ = std::max(removal_, removed.number);
  holds_ = holds_in(journal);
  rows_.clear();
  filter_.limit = limit_ + 1;
  for (const RunRow& run : journal.list(filter_)) rows_.push_back(row_of(run));
}

// False: it does not say which run follows now.
bool RunList::take(const RunRow& run) {
  const auto found = std::ranges::find(rows_, run.id, [](const Row& row) -> const std::string& { return row.run.id; });
  if (found != rows_.end()) {
    if (!fits(run)) return false;
    *found = row_of(run);
    return true;
  }
  if (!fits(run)) return true;
  const auto place = std::ranges::find_if(rows_, [&](const Row& row) { return is_newer(run, row.run); });
  if (place == rows_.end() && rows_.size() > limit_) return true;  // behind this page
  rows_.insert(place, row_of(run));
  if (rows_.size() > limit_ + 1) rows_.pop_back();
  return true;
}

bool RunList::take_changes(const Journal& journal) {
  if (!journal.remains(removal_).empty()) return false;
  const auto holds = holds_in(journal);
  const bool held = std::ranges::equal(holds, holds_, [](const auto& one, const auto& other) {
    return one.first == other.first && same(one.second, other.second);
  });
  if (!held) return false;
  const auto changes = journal.changes(revision_, kFew);
  if (changes.size() == kFew) return false;
  for (const auto& change : changes) {
    if (!take(change.row)) return false;
    revision_ = change.revision;
  }
  return true;
}

void RunList::write() {
  const bool more = rows_.size() > limit_;
  const Json next = more ? Json(cursor_after(rows_[limit_ - 1].run, limit_)) : Json();
  text_ = fmt::format("{{\"more\":{},\"next\":{},\"runs\":[", more, next.dump());
  for (std::size_t i = 0; i < std::min(rows_.size(), limit_); ++i) {
    if (i > 0) text_ += ',';
    text_ += rows_[i].text;
  }
  text_ += "]}\n";
}

const std::string& RunList::text(const Journal& journal) {
  const std::int64_t version = journal.data_version();  // before reading
  if (version == version_) return text_;
  const bool is_known = std::exchange(version_, -1) >= 0;  // read anew after an error half-way
  if (!is_known || !take_changes(journal)) read_all(journal);
  version_ = version;
  write();
  return text_;
}

}  // namespace stella::console
