// SPDX-License-Identifier: Apache-2.0
// The envelopes that lie in a run's approvals/ folder, verified at every reading. Any thread; nothing is kept.
// Errors: ERR_APPROVAL_* for a file that is damaged, foreign or of a signer that no longer counts, at the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/gate/gate.hpp"
#include "bundles/approval/request.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/approval/roster.hpp"

namespace stella::gate {

struct StoredRequest {
  approval::Request request;
  std::string path;
};
struct StoredResponse {
  approval::Signed response;
  std::string path;
};

// The request of this attempt that no other replaces; nothing when there is none.
[[nodiscard]] std::optional<StoredRequest> find_request(const Subject& subject, const std::string& gate);
// The answers to it, in the order in which they were signed.
[[nodiscard]] std::vector<StoredResponse> responses_to(const Subject& subject, const approval::Request& request);
[[nodiscard]] approval::Count count(const approval::Request& request, const std::vector<StoredResponse>& responses,
                                    const Subject& subject);

// Every request file of a folder, parsed and not verified: for finding what a response belongs to.
struct Unverified {
  approval::Parcel parcel;
  approval::Asked asked;
  std::string path;
};
[[nodiscard]] std::vector<Unverified> list_requests(const std::string& run_folder);

[[nodiscard]] std::string home_of(const std::string& run_folder);  // $HOME/runs/<run> -> $HOME

}  // namespace stella::gate
