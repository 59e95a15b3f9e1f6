// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/gates.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "bundles/approval/request.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/approval/review.hpp"
#include "bundles/approval/roster.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::evidence {
namespace {

using fault::Code;
using fault::Error;

struct Answered {
  approval::Signed response;
  std::int64_t recorded_seq;  // when the journal took it in; 0: never in time
};
struct Asked {
  approval::Request request;
  std::vector<Answered> answers;
};

std::vector<std::string> stored(const Integrity& bag, std::string_view prefix) {
  std::vector<std::string> paths;
  for (const auto& row : bag.sums) {
    if (row.first.starts_with(std::string("approvals/") + std::string(prefix))) paths.push_back(row.first);
  }
  return paths;
}

// When the journal took a response in; 0: never, or when the request had run out.
std::int64_t recorded_at(const JournalLines& journal, const canon::Digest& response, clock::Time expires_at) {
  for (const JournalLine& line : journal.lines) {
    if (line.type != "pack.approval.recorded" || line.data.value("dsse", "") != response.tagged()) continue;
    const bool is_late =
        clock::parse_time(line.at, Code::evidence_tampered, fmt::format("journal.jsonl:{}", line.seq)) > expires_at;
    return is_late ? 0 : line.seq;
  }
  return 0;
}

// Run ids and plans repeat from appliance to appliance, so what people released elsewhere must not count here; and the
// approvers signed the journal as it stood when they were asked, so it must be the beginning of this one.
void require_of_this_run(const approval::Request& request, const approval::PlanView& plan, const JournalLines& journal,
                         const Report& report, const std::string& path) {
  const approval::Asked& asked = request.asked;
  const auto refuse = [&](const std::string& what) {
    throw Error(Code::evidence_tampered, "request", fmt::format("{} {}", path, what), path);
  };
  if (asked.run != report.run || request.plan_hash != plan.hash) refuse("asks about another run or plan");
  if (asked.appliance != report.appliance) refuse("was asked by another appliance than the one that sealed the bag");
  const auto seq = static_cast<std::size_t>(asked.state.journal_seq);
  if (seq < 1 || seq > journal.lines.size() || journal.lines[seq - 1].hash != asked.state.journal_head)
    refuse("was asked at another journal than this one");
}

std::vector<Asked> read_requests(const Integrity& bag, const site::TrustRule& trust, const site::Policy& policy,
                                 const approval::PlanView& plan, const JournalLines& journal, const Report& report) {
  std::vector<Asked> requests;
  for (const std::string& path : stored(bag, "REQ-")) {
    auto parcel = approval::read_parcel(read_listed(bag, path, approval::kMaxRequestBytes), path);
    // The policy that the approvers saw must itself come from the admins that the auditor trusts.
    (void)site::verify_policy(parcel.site, path, trust, Code::evidence_untrusted);
    approval::Request request = approval::verify_request(std::move(parcel), policy);
    require_of_this_run(request, plan, journal, report, path);
    requests.push_back({std::move(request), {}});
  }
  return requests;
}

void add_responses(const Integrity& bag, const site::Policy& policy, const JournalLines& journal,
                   std::vector<Asked>& requests) {
  for (const std::string& path : stored(bag, "RES-")) {
    const auto envelope = approval::read_response(read_listed(bag, path, approval::kMaxResponseBytes), path);
    std::vector<const site::Policy*> policies{&policy};
    for (const Asked& asked : requests) policies.push_back(&asked.request.pinned);
    approval::Signed response = approval::verify_response(envelope, policies, path);
    const auto found = std::find_if(requests.begin(), requests.end(), [&](const Asked& asked) {
      return asked.request.payload_digest == response.answer.request_digest;
    });
    if (found == requests.end())
      throw Error(Code::evidence_tampered, "response", fmt::format("{} answers no request of this bag", path), path);
    approval::require_answers(response, found->request);
    const std::int64_t seq = recorded_at(journal, response.digest, found->request.asked.expires_at);
    found->answers.push_back({std::move(response), seq});
  }
}

// The count over the answers that the journal had taken in before event `before`.
approval::Count count_before(const Asked& asked, const site::Policy& policy, std::int64_t before) {
  std::vector<approval::Signed> taken;
  for (const Answered& answer : asked.answers) {
    if (answer.recorded_seq > 0 && answer.recorded_seq < before) taken.push_back(answer.response);
  }
  return approval::count(asked.request, taken, policy);
}

void prove_start(const JournalLine& start, const std::string& gate, const std::vector<Asked>& requests,
                 const site::Policy& policy) {
  for (const Asked& asked : requests) {
    if (asked.request.asked.gate == gate && asked.request.asked.attempt == start.attempt &&
        count_before(asked, policy, start.seq).is_open())
      return;
  }
  throw Error(Code::evidence_untrusted, "gate",
              fmt::format("step {} was started in attempt {} before gate {} had the approvals it needs", start.step,
                          start.attempt, gate),
              start.step, "The run did what its approvers had not released: treat it as unauthorised.");
}

// A gate of the plan as the run met it, and what a `when`, a case or the end of a loop may have spared.
struct Met {
  std::string gate, step;
  std::vector<std::string> spared_by;  // it and the groups around it; empty: nothing in the plan could skip it
};

Met meet(const approval::Order& order, const std::string& gate, const std::string& step) {
  std::map<std::string, const approval::PlanStep*> steps(order.steps.begin(), order.steps.end());
  Met met{gate, step, {}};
  std::vector<std::string> around;
  bool may_skip = false;
  for (std::string id = step; !id.empty(); id = order.graph.parent_of(id)) {
    around.push_back(id);
    const approval::PlanStep* said = steps.at(id);
    may_skip = may_skip || said == nullptr || said->kind == "item" || said->node.contains("when") ||
               said->node.contains("branch");
  }
  if (may_skip) met.spared_by = std::move(around);
  return met;
}

// The last word on the gate before this start was that it is not needed.
bool was_skipped(const JournalLines& journal, const Met& met, std::int64_t before) {
  bool skipped = false;
  for (const JournalLine& line : journal.lines) {
    if (line.seq >= before) break;
    if (line.type == "pack.gate.waiting" && line.step == met.step) skipped = false;
    if (line.type == "pack.step.skipped" && std::ranges::find(met.spared_by, line.step) != met.spared_by.end())
      skipped = true;
  }
  return skipped;
}

std::string decided_by(const std::vector<Asked>& requests, const std::string& gate, const site::Policy& policy) {
  std::string who = "nobody decided";
  for (const Asked& asked : requests) {
    if (asked.request.asked.gate != gate) continue;
    std::vector<approval::Signed> all;
    for (const Answered& answer : asked.answers) all.push_back(answer.response);
    const auto count = approval::count(asked.request, all, policy);
    if (count.rejection)
      who = fmt::format("{} rejected it", canon::printable(count.rejection->approver, 100));
    else if (!count.approvers.empty())
      who = fmt::format("{} approved ({} of {})",
                        canon::printable(fmt::format("{}", fmt::join(count.approvers, ", ")), 400), count.have,
                        count.need);
  }
  return who;
}

}  // namespace

approval::Order order_of(const approval::PlanView& plan, const JournalLines& journal) {
  std::set<std::string> named;
  for (const JournalLine& line : journal.lines)
    if (!line.step.empty()) named.insert(line.step);
  return plan.order({named.begin(), named.end()});
}

void prove_gates(const Integrity& bag, const site::TrustRule& trust, const site::Policy& policy,
                 const approval::PlanView& plan, const JournalLines& journal, Report& report) {
  std::vector<Asked> requests = read_requests(bag, trust, policy, plan, journal, report);
  add_responses(bag, policy, journal, requests);
  const approval::Order order = order_of(plan, journal);
  for (const auto& [gate, step] : order.gates) {
    const std::vector<std::string> waiting = order.graph.behind(step);
    const std::unordered_set<std::string> behind(waiting.begin(), waiting.end());
    const Met met = meet(order, gate, step);
    std::size_t starts = 0, spared = 0;
    for (const JournalLine& line : journal.lines) {
      if (line.type != "pack.step.started" || !behind.contains(line.step)) continue;
      if (!met.spared_by.empty() && was_skipped(journal, met, line.seq)) {
        ++spared;
        continue;
      }
      prove_start(line, gate, requests, policy);
      ++starts;
    }
    report.proven.push_back(fmt::format("gate {}: {}; {} starts of steps behind it, each after that{}", gate,
                                        decided_by(requests, gate, policy), starts,
                                        spared == 0 ? "" : fmt::format("; {} while the pack skipped it", spared)));
  }
}

}  // namespace stella::evidence
