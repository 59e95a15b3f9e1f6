// SPDX-License-Identifier: Apache-2.0
#include "appliance/decision/claim.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::decision {
namespace {

constexpr std::size_t kMostRuns = 10000;

std::optional<canon::Digest> claimed_request(const dsse::Envelope& envelope) {
  try {
    const dsse::Statement statement =
        dsse::parse_statement(envelope, approval::kResponseType, fault::Code::approval_malformed, "response");
    for (const dsse::Subject& subject : statement.subjects)
      if (subject.name == "request") return subject.digest;
  } catch (const fault::Error&) {
    // The check that counts comes after the signature's, and names what is wrong then.
  }
  return std::nullopt;
}

// A damaged file of one run must not keep people from answering another; its own gate names it.
std::vector<gate::Unverified> readable_requests(const std::string& run_folder) {
  try {
    return gate::list_requests(run_folder);
  } catch (const fault::Error&) {
    return {};
  }
}

}  // namespace

Claim::Claim(const files::Home& home, const journal::Journal& journal)
    : journal_(journal), current_(site::load_applied(home)) {
  tenant_ = current_ && !current_->policy.tenants.empty() ? current_->policy.tenants.front().name : "default";
}

bool Claim::find_among(const std::vector<journal::RunRow>& runs, const canon::Digest& request) {
  for (const journal::RunRow& row : runs)
    for (const gate::Unverified& each : readable_requests(row.folder)) {
      if (canon::sha256(each.parcel.request.payload) != request) continue;
      run_ = row.id;
      tenant_ = row.tenant;
      gate_ = each.asked.gate;
      // The policy in the parcel counts only if it is the one that the signed request names; checked in find_request.
      const dsse::Envelope site = dsse::parse(each.parcel.site, fault::Code::approval_malformed, each.path);
      pinned_ = site::parse_policy(site.payload, each.path);
      return true;
    }
  return false;
}

void Claim::read(const dsse::Envelope& envelope) {
  const auto waiting = journal_.list({.state = "waiting", .limit = kMostRuns});
  if (const auto request = claimed_request(envelope)) {
    if (find_among(waiting, *request)) return;
    if (find_among(journal_.list({.limit = kMostRuns}), *request)) return;
  }
  if (waiting.size() != 1) return;
  run_ = waiting.front().id;
  tenant_ = waiting.front().tenant;
}

std::vector<const site::Policy*> Claim::policies() const {
  std::vector<const site::Policy*> policies;
  if (current_) policies.push_back(&current_->policy);
  if (pinned_) policies.push_back(&*pinned_);
  return policies;
}

std::string Claim::run_of(const approval::Answer& answer) const {
  if (!gate_.empty()) return run_;  // the request it was signed for is here: everything else it says must agree with it
  for (const journal::RunRow& row : journal_.list({.limit = kMostRuns}))
    if (row.id == answer.run) return row.id;
  throw fault::Error(fault::Code::approval_mismatch, "run",
                     fmt::format("the response is for run {}, which is not of this home", canon::printable(answer.run)),
                     "predicate.runId");
}

std::string Claim::gate_of(const approval::Answer& answer, const run::Record& record) const {
  if (!gate_.empty()) return gate_;
  // A run that waits at one gate is answered for that gate: an answer for another one is for another request.
  const auto& gates = record.progress.gates;
  const auto waits = std::ranges::find_if(
      gates, [](const auto& each) { return each.second.waiting_seq > 0 && !each.second.approved; });
  if (gates.contains(answer.gate) || waits == gates.end()) return answer.gate;
  return waits->first;
}

}  // namespace stella::decision
