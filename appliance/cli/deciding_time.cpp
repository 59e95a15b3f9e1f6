// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/deciding_time.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/site/clock_mark.hpp"

namespace stella::cli {

clock::Time deciding_time(Invocation& call) {
  return site::observe_clock(call.home(), call.clock().now());
}

clock::Time looking_time(Invocation& call) {
  const clock::Time now = call.clock().now();
  const site::ClockMark mark = site::look_at_clock(call.home(), now);
  if (mark.suspicion.empty()) return mark.highest ? std::max(now, *mark.highest) : now;
  call.out().note(fmt::format("note: {}; nothing expires until `stella site clock` is looked at", mark.suspicion));
  return clock::Time{};
}

}  // namespace stella::cli
