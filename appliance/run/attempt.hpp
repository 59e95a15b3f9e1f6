// SPDX-License-Identifier: Apache-2.0
// One try of one run step: secrets leased, the start durable, the sandbox, what it left, the end durable. One thread.
#pragma once

#include "appliance/run/live.hpp"

namespace stella::run {

// stopped: it was ended by a signal or a cancel request, its state is `unknown`.
enum class TryEnd { succeeded, failed, stopped };

// Everything about the end is in the journal. Throws what keeps the step from being tried at all:
// ERR_PACK_SECRET_MISSING, ERR_VAULT_*, ERR_SANDBOX_UNAVAILABLE (nothing of the step ran), ERR_ARTIFACT_STORE (the
// state is then `unknown`).
TryEnd try_step(Live& live, const plan::Step& step);

// Whether the pack wants another try after the last failure, and how long to wait before it.
[[nodiscard]] bool wants_retry(const plan::Retries& retries, const StepProgress& failed);
[[nodiscard]] std::chrono::milliseconds delay_before(const plan::Retries& retries, int next_try);

// The context of expressions, contract section 6.
[[nodiscard]] canon::Json context_of(Live& live);

}  // namespace stella::run
