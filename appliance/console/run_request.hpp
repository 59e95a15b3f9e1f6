// SPDX-License-Identifier: Apache-2.0
// Reading what the actions are given. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stella::console {

// Body of POST /api/runs: {"pack": "NAME:VERSION", "inputs": {…}, "planHash": "sha256:HEX", "tenant": "T"}; only the
// pack must be there. ERR_USAGE reason `body`.
struct RunRequest {
  std::string pack, inputs, plan_hash;  // inputs: canonical JSON, or empty
  std::optional<std::string> tenant;
};
[[nodiscard]] RunRequest parse_run_request(std::string_view body);

// The run that a response file says it is for; it proves nothing. ERR_USAGE reason `body` for what is no response.
[[nodiscard]] std::string run_in_response(std::string_view text);
// The usual file name of a request file: REQ-<gate>-<8>.json, or request.json.
[[nodiscard]] std::string request_name(std::string_view text);

}  // namespace stella::console
