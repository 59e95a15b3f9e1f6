// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/gates.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

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

}  // namespace

void prove_gates(const Integrity& bag, const site::TrustRule& trust, const site::Policy& policy,
                 const approval::PlanView& plan, const JournalLines& journal, Report& report) {
  std::vector<Asked> requests = read_requests(bag, trust, policy, plan, journal, report);
  add_responses(bag, policy, journal, requests);
  for (const approval::PlanGate& gate : plan.gates) {
    const std::vector<std::string> behind = plan.behind(gate.id);
    std::size_t starts = 0;
    for (const JournalLine& line : journal.lines) {
      if (line.type != "pack.step.started" || std::find(behind.begin(), behind.end(), line.step) == behind.end())
        continue;
      prove_start(line, gate.id, requests, policy);
      ++starts;
    }
    std::string who = "nobody decided";
    for (const Asked& asked : requests) {
      if (asked.request.asked.gate != gate.id) continue;
      const auto count = approval::count(
          asked.request,
          [&] {
            std::vector<approval::Signed> all;
            for (const Answered& answer : asked.answers) all.push_back(answer.response);
            return all;
          }(),
          policy);
      if (count.rejection)
        who = fmt::format("{} rejected it", canon::printable(count.rejection->approver, 100));
      else if (!count.approvers.empty())
        who = fmt::format("{} approved ({} of {})",
                          canon::printable(fmt::format("{}", fmt::join(count.approvers, ", ")), 400), count.have,
                          count.need);
    }
    report.proven.push_back(
        fmt::format("gate {}: {}; {} starts of steps behind it, each after that", gate.id, who, starts));
  }
}

}  // namespace stella::evidence
