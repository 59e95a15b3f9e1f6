// SPDX-License-Identifier: Apache-2.0
// Acting: the same verbs as the command line, in a process of their own. A worker's thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "appliance/http/message.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/files/home.hpp"

namespace stella::console {

struct Verb {
  std::vector<std::string> arguments;  // without the global ones
  std::string input = {};              // its standard input
  std::string via = {};                // the token that asks, by its id; only for verbs that know --via
};
struct Outcome {
  int exit = 0;
  std::string out, err;  // at most 32 MiB of each
};
// Runs it with --output json; it has 60 s, then it is killed: ERR_RUN_BUSY reason `slow`. Its environment holds nothing
// but what a login has and the vault's address.
[[nodiscard]] Outcome run_verb(const files::Home& home, const Verb& verb);
// From now on no verb has longer than until then, whether it has begun or not: for a server that stops. Any thread.
void end_verbs_by(std::chrono::steady_clock::time_point latest) noexcept;

// What the verb printed: the last JSON object on its standard output, or null.
[[nodiscard]] canon::Json result_of(const Outcome& outcome);
// The error object that it printed, {code, reason, message, at, fix, exit}, or null.
[[nodiscard]] canon::Json error_of(const Outcome& outcome);
// Its error object with the status that fits its exit (answer.hpp).
[[nodiscard]] http::Response failure_response(const Outcome& outcome);

}  // namespace stella::console
