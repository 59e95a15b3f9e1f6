// SPDX-License-Identifier: Apache-2.0
// site clock: what this home thinks of the machine's clock, and a person's word that it is right.
#include <fmt/format.h>

#include "appliance/cli/ledger_mark.hpp"
#include "appliance/cli/site.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/clock_mark.hpp"
#include "bundles/site/identity.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

void confirm(Invocation& call, const site::ClockMark& before, clock::Time now) {
  const std::string reason = call.value("--reason").value_or("");
  if (reason.empty() || reason.size() > 500) {
    throw Error(Code::usage, "reason", "--confirm needs --reason TEXT, at most 500 bytes", {},
                "Say why the clock is right, for those who read the ledger later.");
  }
  const files::Home& home = call.home();
  const std::optional<site::Applied> applied = site::load_applied(home);
  const bool lone = applied && applied->policy.tenants.size() == 1;
  const std::string by = site::operator_name(lone ? &applied->policy.tenants.front() : nullptr);
  site::confirm_clock(home, now, reason, by);
  if (!site::has_identity(home)) return;
  mark_ledgers(home, site::load_identity(home), "clock",
               {{"by", by},
                {"reason", reason},
                {"confirmed", clock::format(now)},
                {"highest", before.highest ? canon::Json(clock::format(*before.highest)) : canon::Json()}},
               now);
}

int site_clock(Invocation& call) {
  const clock::Time now = call.clock().now();
  const site::ClockMark mark = site::look_at_clock(call.home(), now);
  const bool confirmed = call.flag("--confirm");
  if (!confirmed && call.value("--reason")) throw Error(Code::usage, "confirm", "--reason goes with --confirm");
  if (confirmed) confirm(call, mark, now);
  Output& out = call.out();
  out.say(fmt::format("clock    {}", clock::format(now)));
  out.say(fmt::format("highest  {}", mark.highest ? clock::format(*mark.highest) : "nothing was seen yet"));
  if (confirmed)
    out.say("confirmed: time goes on from here");
  else
    out.say(mark.suspicion.empty() ? out.good("fine") : out.bad(mark.suspicion));
  out.result({{"now", clock::format(now)},
              {"highest", mark.highest ? canon::Json(clock::format(*mark.highest)) : canon::Json()},
              {"suspect", !confirmed && !mark.suspicion.empty()},
              {"confirmed", confirmed}});
  return 0;
}

}  // namespace

std::vector<Command> site_clock_commands() {
  return {
      {{"site", "clock"},
       "what this home thinks of the clock; confirm that it is right",
       "stella site clock --confirm --reason \"battery replaced, checked against the wall clock\"",
       {},
       {{"--confirm", "", "time goes on from what the clock says now"},
        {"--reason", "TEXT", "why; kept in the home and in every tenant's ledger"}},
       site_clock},
  };
}

}  // namespace stella::cli
