// SPDX-License-Identifier: Apache-2.0
// What pages and programs alike ask a run for: the verbs of the command line, with the token that asks. A worker's
// thread. How it is told is the caller's.
#pragma once

#include <string>

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/console/verb.hpp"

namespace stella::console {

// `wishes` are options of the verb by name: reason; extend, rerun, fail.
[[nodiscard]] Outcome cancel_run(Desk& desk, const Visit& visit, const http::Pairs& wishes);
[[nodiscard]] Outcome resume_run(Desk& desk, const Visit& visit, const http::Pairs& wishes);
// The response's own run must be the one of the path: a form of one page does not act on another. ERR_APPROVAL_MISMATCH
// reason `run`, ERR_APPROVAL_MALFORMED for what is no response.
[[nodiscard]] Outcome hand_in(Desk& desk, const Visit& visit, const std::string& response);
// The request file of a waiting gate: its bytes are the verb's output. ERR_USAGE reason `gate`.
[[nodiscard]] Outcome make_request(Desk& desk, const Visit& visit, const std::string& gate);

// Waiting is no failure of what was asked; a rejection that was recorded is none either.
[[nodiscard]] bool was_done(const Outcome& outcome);

// Bytes to be saved and never shown, of JSON, under a plain name.
[[nodiscard]] http::Response json_attachment(std::string bytes, const std::string& name);

}  // namespace stella::console
