// SPDX-License-Identifier: Apache-2.0
#include "appliance/gate/stored.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "bundles/approval/asked.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"

namespace stella::gate {
namespace {

using approval::Parcel;

std::vector<std::string> files_of(const std::string& run_folder, const std::string& prefix) {
  const std::string folder = run_folder + "/approvals";
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".json")) paths.push_back(folder + "/" + name);
  }
  std::ranges::sort(paths);
  return paths;
}

Unverified peek(const std::string& path) {
  Parcel parcel = approval::read_parcel(
      files::read_input(path, {approval::kMaxRequestBytes, files::Empty::refuse, files::Links::refuse}), path);
  const dsse::Statement statement =
      dsse::parse_statement(parcel.request, approval::kRequestType, fault::Code::approval_malformed, path);
  approval::Asked asked = approval::read_asked(statement.predicate, path);
  return {std::move(parcel), std::move(asked), path};
}

// Which request a response claims to answer, before anything is believed.
std::optional<canon::Digest> claimed_request(const dsse::Envelope& envelope, const std::string& path) {
  const dsse::Statement statement =
      dsse::parse_statement(envelope, approval::kResponseType, fault::Code::approval_malformed, path);
  for (const dsse::Subject& subject : statement.subjects)
    if (subject.name == "request") return subject.digest;
  return std::nullopt;
}

}  // namespace

std::vector<Unverified> list_requests(const std::string& run_folder) {
  std::vector<Unverified> requests;
  for (const std::string& path : files_of(run_folder, "REQ-")) requests.push_back(peek(path));
  return requests;
}

std::optional<StoredRequest> find_request(const Subject& subject, const std::string& gate) {
  if (subject.current == nullptr) return std::nullopt;
  std::vector<StoredRequest> requests;
  std::set<std::string> replaced;
  for (Unverified& each : list_requests(subject.folder)) {
    if (each.asked.attempt != subject.attempt || each.asked.gate != gate) continue;
    StoredRequest stored{approval::verify_request(std::move(each.parcel), subject.current->policy), each.path};
    const approval::Asked& asked = stored.request.asked;
    if (asked.run != subject.run || asked.tenant != subject.tenant)
      throw fault::Error(fault::Code::approval_mismatch, asked.run == subject.run ? "tenant" : "run",
                         "the request is of run " + canon::printable(asked.run), each.path);
    if (asked.supersedes) replaced.insert(*asked.supersedes);
    requests.push_back(std::move(stored));
  }
  std::erase_if(requests, [&](const StoredRequest& each) { return replaced.contains(each.request.asked.request_id); });
  if (requests.empty()) return std::nullopt;
  const auto newest =
      std::ranges::max_element(requests, {}, [](const StoredRequest& each) { return each.request.asked.issued_at; });
  return std::move(*newest);
}

std::vector<StoredResponse> responses_to(const Subject& subject, const approval::Request& request) {
  const std::vector<const site::Policy*> policies = {&subject.current->policy, &request.pinned};
  std::vector<StoredResponse> responses;
  for (const std::string& path : files_of(subject.folder, "RES-")) {
    const std::string text =
        files::read_input(path, {approval::kMaxResponseBytes, files::Empty::refuse, files::Links::refuse});
    const dsse::Envelope envelope = approval::read_response(text, path);
    if (claimed_request(envelope, path) != request.payload_digest)
      continue;  // of another gate, attempt or replaced request
    approval::Signed response = approval::verify_response(envelope, policies, path);
    approval::require_answers(response, request);
    responses.push_back({std::move(response), path});
  }
  std::ranges::stable_sort(responses, {}, [](const StoredResponse& each) { return each.response.answer.signed_at; });
  return responses;
}

approval::Count count(const approval::Request& request, const std::vector<StoredResponse>& responses,
                      const Subject& subject) {
  std::vector<approval::Signed> all;
  for (const StoredResponse& each : responses) all.push_back(each.response);
  return approval::count(request, all, subject.current->policy);
}

std::string home_of(const std::string& run_folder) {
  return std::filesystem::path(run_folder).parent_path().parent_path().string();
}

}  // namespace stella::gate
