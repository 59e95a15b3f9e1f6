// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/desk.hpp"

#include <fmt/format.h>

#include "appliance/console/routes.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::console {

journal::Journal& Desk::journal() {
  if (!journal_) journal_.emplace(journal::Journal::open(home()));
  return *journal_;
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
