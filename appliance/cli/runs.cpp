// SPDX-License-Identifier: Apache-2.0
// The rows of all verbs about runs, and what several of them ask for.
#include "appliance/cli/runs.hpp"

#include <fmt/format.h>

#include "bundles/canon/fields.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

constexpr std::size_t kMaxReason = 4096;

}  // namespace

std::string operator_here(Invocation& call, const std::string& tenant) {
  const auto applied = site::load_applied(call.home());
  return site::operator_name(applied ? applied->policy.find_tenant(tenant) : nullptr);
}

std::string reason_of(Invocation& call) {
  const std::string reason = call.value("--reason").value_or("");
  if (reason.size() <= kMaxReason && canon::printable(reason, reason.size() + 1) == reason) return reason;
  throw fault::Error(fault::Code::usage, "reason",
                     fmt::format("a reason is one line of plain UTF-8 text of at most {} bytes", kMaxReason),
                     "--reason");
}

std::vector<Command> pack_run_commands() {
  std::vector<Command> all = run_moving_commands();
  all.push_back(runs_list_command());
  all.push_back(runs_show_command());
  all.push_back(runs_logs_command());
  all.push_back(runs_trace_command());
  all.push_back(runs_cancel_command());
  for (Command& row : runs_retention_commands()) all.push_back(std::move(row));
  all.push_back(runs_removals_command());
  all.push_back(runs_escalate_command());
  return all;
}

}  // namespace stella::cli
