// SPDX-License-Identifier: Apache-2.0
// Who watches by a right that has gone: a token that was revoked or has expired, a session that was logged out.
#include <fmt/format.h>

#include <map>

#include "appliance/stream/channel.hpp"

namespace stella::stream {
namespace {

enum class Verdict { good, gone, unknown };

Verdict ask(const Doorkeeper& doorkeeper, const std::string& pass) {
  try {
    return doorkeeper(pass) ? Verdict::good : Verdict::gone;
  } catch (const std::exception&) {
    return Verdict::unknown;
  }
}

// What was read for it already goes no further, not even when the run is over and only the rest was to be sent.
void send_away(Viewer& viewer, Verdict verdict) {
  const canon::Json data = {{"runId", viewer.subject.run}, {"reason", "access"}};
  const bool between = is_between(viewer);
  viewer.behind.clear();
  viewer.taken = 0;
  viewer.joined = false;
  viewer.pending.clear();
  if (between && verdict == Verdict::gone) viewer.pending = fmt::format("event: end\ndata: {}\n\n", data.dump());
  if (between && verdict == Verdict::unknown) viewer.pending = kComeBack;
  viewer.source.reset();
  viewer.mode = Mode::ending;
  viewer.pass.clear();
  wake(viewer);
}

}  // namespace

void Hub::State::look_at_passes() {
  const auto now = steady_clock::now();
  if (!doorkeeper || now < next_look_) return;
  next_look_ = now + kLookAtPasses;
  std::map<std::string, Verdict> passes;
  {
    const std::lock_guard lock(mutex);
    for (const Viewer& viewer : viewers) {
      if (!viewer.gone && !viewer.pass.empty()) passes.emplace(viewer.pass, Verdict::good);
    }
  }
  for (auto& [pass, verdict] : passes) verdict = ask(doorkeeper, pass);
  const std::lock_guard lock(mutex);
  for (Viewer& viewer : viewers) {
    const auto found = passes.find(viewer.pass);
    if (found != passes.end() && found->second != Verdict::good) send_away(viewer, found->second);
  }
}

}  // namespace stella::stream
