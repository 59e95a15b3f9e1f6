// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/run_place.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "appliance/run/stop.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};

fault::Error no_place(const journal::Journal& journal, const std::string& tenant, int most) {
  std::string runs;
  for (const journal::RunRow& row : journal.list({.tenant = tenant, .state = "running", .limit = 4}))
    runs += fmt::format("{}{}", runs.empty() ? ": " : ", ", row.id);
  return {fault::Code::run_busy, "tenant",
          fmt::format("tenant {} may have {} {} under way at once and has{}", tenant, most, most == 1 ? "run" : "runs",
                      runs),
          "tenants.maxRuns of the site policy", "Wait until one ends and run the command again, or say --wait."};
}

}  // namespace

std::optional<journal::Place> take_place(Invocation& call, const journal::Journal& journal, const std::string& tenant) {
  const auto applied = site::load_applied(call.home());
  const site::Tenant* entry = applied ? applied->policy.find_tenant(tenant) : nullptr;
  if (entry == nullptr || !entry->max_runs) return std::nullopt;
  auto place = journal::try_take_place(call.home(), tenant, *entry->max_runs);
  if (!place && call.flag("--wait")) {
    run::catch_signals();
    call.out().note(no_place(journal, tenant, *entry->max_runs).what());
  }
  while (!place) {
    if (!call.flag("--wait") || run::is_signalled()) throw no_place(journal, tenant, *entry->max_runs);
    std::this_thread::sleep_for(kBetweenLooks);
    place = journal::try_take_place(call.home(), tenant, *entry->max_runs);
  }
  return place;
}

}  // namespace stella::cli
