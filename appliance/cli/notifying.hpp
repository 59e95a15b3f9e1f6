// SPDX-License-Identifier: Apache-2.0
// Telling people of what a verb did, without a daemon: around the verbs that move runs the journal is read into the
// outbox and the outbox is delivered. It never fails a verb and never makes a run wait: what must go over the network
// is done by a companion, `stella notify follow --until-eof`, which outlives even a killed runner for
// a moment. What a service does for an operator sees the runs of their tenants only: there the companion, which sees
// all of them, does everything. One thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/cli/command.hpp"
#include "bundles/files/fd.hpp"

namespace stella::cli {

// none: nothing to tell. looks: it may find a gate that ran out. acts: it changes a run. runs: it may take hours.
enum class Telling { none, looks, acts, runs };
[[nodiscard]] Telling telling_of(const std::vector<std::string>& path);

// Around one call of a verb.
class Teller {
 public:
  // Marks the present, so that what this call does is news; starts the companion where it is needed.
  static Teller before(Invocation& call, Telling telling) noexcept;
  // After the verb's result or error was printed; waits about two seconds for the companion, which then goes on alone.
  // What failed is a note.
  void after() noexcept;

 private:
  Telling telling_ = Telling::none;
  std::string home_;
  Output* out_ = nullptr;
  files::Fd leash_;  // the companion ends when it is closed
};

}  // namespace stella::cli
