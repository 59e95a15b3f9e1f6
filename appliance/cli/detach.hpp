// SPDX-License-Identifier: Apache-2.0
// `pack run --detach`, `pack runs resume --detach`: a runner in a session of its own goes on with a run that is in the
// journal, while this command ends. One thread.
#pragma once

#include <optional>
#include <string>

#include "appliance/cli/command.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::cli {

// Starts `pack runs resume` for this run with the options of this call, and waits until it has the run's lock and is
// about to take its next step; from then on nothing that this process does reaches it. The passphrase and the secrets
// travel through pipes, never in arguments or the environment. The exit status: 0, or what the runner ended with before
// that point; then what it had to say is on standard error.
struct Detaching {
  std::string run;
  bool needs_vault = false;              // the plan wants secrets and --secrets gives none
  std::optional<locked::Bytes> secrets;  // what --secrets read
};
[[nodiscard]] int start_runner(Invocation& call, const Detaching& wish);

// In that runner: from here on it says nothing more to whoever started it.
void leave_starter();

}  // namespace stella::cli
