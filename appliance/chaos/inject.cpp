// SPDX-License-Identifier: Apache-2.0
#include "appliance/chaos/inject.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::chaos {
namespace {

using fault::Code;
using fault::Error;

}  // namespace

void require_allowed(const site::Policy* policy, clock::Time now) {
  if (policy == nullptr || !policy->chaos_allowed)
    throw Error(Code::usage, "chaos", "the site policy does not allow chaos hooks", {},
                "A site admin may sign and apply a newer policy that says `chaos: {allow: true}`.");
  site::require_valid(*policy, now);
}

void require_step(const std::string& step, const std::vector<std::string>& known) {
  if (step.empty() || std::find(known.begin(), known.end(), step) != known.end()) return;
  const auto guess = canon::nearest(step, known);
  throw Error(Code::usage, "step",
              fmt::format("the run has no step `{}`{}", canon::printable(step, 80),
                          guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
              "--step", "`stella pack runs show RUN --all` lists the steps.");
}

Injection inject(journal::Journal& journal, const std::string& run, const Wish& wish, clock::Time now) {
  Injection injection{
      .hook = wish.hook, .span = wish.span, .step = wish.step, .by = wish.by, .at = now, .until = now + wish.span};
  files::crash_point("chaos.before-record");
  const std::vector<journal::NewEvent> events = {{kEvent, wish.step, data_of(injection)}};
  const auto made = journal.append(run, events, {}, now);
  files::crash_point("chaos.recorded");
  injection.seq = made.front().seq;
  injection.at = made.front().at;
  return injection;
}

}  // namespace stella::chaos
