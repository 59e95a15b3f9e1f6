// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/console/guard.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/logs/end.hpp"
#include "appliance/run/finish.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/stamp.hpp"

namespace stella::console {

Office::Office(const files::Home& home_, const clock::Clock& clock_, http::Address address_)
    : home(home_),
      clock(&clock_),
      address(std::move(address_)),
      keyring(home_),
      sessions(home_),
      gauges(home_),
      hub(home_, clock_, [this](const std::string& pass) { return is_good_still(*this, pass, clock->now()); }) {}

journal::Journal& Desk::journal() {
  if (!journal_) journal_.emplace(journal::Journal::open(home()));
  return *journal_;
}

const std::string& Desk::first_page(const journal::Journal::Filter& filter, std::size_t limit) {
  constexpr std::size_t kKept = 16;
  const std::string wish = fmt::format("{}\n{}\n{}\n{}", filter.tenant, filter.state, filter.pack, limit);
  const auto found = std::ranges::find(lists_, wish, &std::pair<std::string, RunList>::first);
  if (found != lists_.end())
    lists_.splice(lists_.begin(), lists_, found);
  else
    lists_.emplace_front(wish, RunList(filter, limit));
  if (lists_.size() > kKept) lists_.pop_back();
  return lists_.front().second.text(journal());
}

std::string Desk::rendering_of(const journal::RunRow& row, const std::string& key,
                               const std::function<std::string()>& make) {
  constexpr std::chrono::milliseconds kMoving{1000}, kStill{10000};
  const auto hold = journal().hold_of(row.id);
  const logs::Position log = logs::end_of(row.folder + "/logs");
  const std::string stamp =
      fmt::format("{} {} {} {}.{} {} {}", row.state, row.updated.time_since_epoch().count(), journal().head(row.id).seq,
                  log.chunk, log.offset, files::stamp_of(home().site() + "/policy.dsse.json"),
                  hold ? fmt::format("{} {} {}", hold->who, hold->reason, hold->at.time_since_epoch().count()) : "");
  return office_->renderings.get(
      {.key = row.id + "\n" + key, .stamp = stamp, .longest = journal::is_final(row.state) ? kStill : kMoving}, make);
}

journal::RunRow Desk::run_of(const Visit& visit) {
  const std::string id = visit.param("id");
  const auto not_found = [&] {
    return fault::Error(fault::Code::run_not_found, "run",
                        fmt::format("there is no run {} in this home", canon::printable(id, 200)),
                        canon::printable(id, 200));
  };
  try {
    journal::RunRow row = journal().need(id);
    if (visit.who.may_see(row.tenant)) return row;
  } catch (const fault::Error& error) {
    if (error.code() != fault::Code::run_not_found) throw;
  }
  throw not_found();
}

}  // namespace stella::console
