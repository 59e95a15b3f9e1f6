// SPDX-License-Identifier: Apache-2.0
// How a runner passes its gates: appliance/gate proves, this waits, records and goes on. One thread.
#pragma once

#include "appliance/run/live.hpp"

namespace stella::run {

// open: everything behind it may start. waiting: the run ends here for now (`error` says how to go on). ended: the run
// has ended, rejected or run out. stopped: a signal or a cancel request came while it waited.
enum class GateEnd { open, waiting, ended, stopped };
struct GateResult {
  GateEnd end;
  std::optional<fault::Error> error;
};

// Records that the gate waits, then tries to clear it; with choices.wait it polls until it is decided.
[[nodiscard]] GateResult pass_gate(Live& live, const plan::Step& step);

// At every start: each gate that this attempt has passed is proved again. A gate that has released nothing yet is taken
// back to pending, so that it is cleared with the state check; behind one that has, clear_again() must hold.
void prove_passed_gates(Live& live);

[[nodiscard]] journal::NewEvent waiting_event(const plan::Step& step, clock::Time expires_at, const std::string& by);
[[nodiscard]] fault::Error rejected(const std::string& run, const gate::Tally& tally);

}  // namespace stella::run
