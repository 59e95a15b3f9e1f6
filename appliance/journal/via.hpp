// SPDX-License-Identifier: Apache-2.0
// By what somebody asked who does not sit at the appliance: the member `via` of the events that say `by` whom.
//
// {"token", "tenant", "madeBy", "for"?}: a token of `stella serve`, by its id; who made it, and whose it is when that
// was said. {"peer", "user"}: an operator of a service home, by uid. Null: they sit here. Never the token itself.
#pragma once

#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "bundles/canon/json.hpp"

namespace stella::journal {

struct Asker {
  std::string who;
  canon::Json via = {};
};

[[nodiscard]] canon::Json via_token(const std::string& id, const std::string& tenant, const std::string& made_by,
                                    const std::string& holder);
[[nodiscard]] canon::Json via_peer(unsigned uid, const std::string& user);
void put_via(canon::Json& data, const canon::Json& via);
// The people behind it: they asked for the run as much as `by` did, and may approve it as little.
[[nodiscard]] std::vector<std::string> people_in(const canon::Json& via);
// Who asked for the run by this event, and who is behind them: it submitted or resumed it, or gave a gate more time.
// Empty for all others.
[[nodiscard]] std::vector<std::string> askers_in(const Event& event);
// All of them, each once. ERR_JOURNAL_TAMPERED as for_each_event.
[[nodiscard]] std::vector<std::string> askers_of(const Journal& journal, const RunRow& row);
// `token 0123456789ab of plant-7 (for Bo Lind, made by Ana Ortiz)`; empty for null and for an operator, who is `by`.
[[nodiscard]] std::string via_text(const canon::Json& via);

}  // namespace stella::journal
