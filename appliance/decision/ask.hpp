// SPDX-License-Identifier: Apache-2.0
// Asks people for a gate: makes the request, or gives the open one again, byte for byte. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "appliance/journal/journal.hpp"
#include "appliance/run/record.hpp"
#include "bundles/approval/request.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "vault/lease/lease.hpp"

namespace stella::decision {

struct Tool {  // the program that asks
  std::string version;
  canon::Digest digest;
};
struct Wish {
  std::string run, gate;                  // gate empty: the only one that waits
  std::optional<clock::Duration> extend;  // replaces the open request by one that runs this long from now
  Tool tool;
  canon::Json via = {};  // by what it was asked for (journal/via.hpp)
  // Opens the vault, when the steps behind the gate use secrets: their versions are reviewed and pinned then. Empty:
  // not.
  std::function<std::unique_ptr<lease::Source>()> vault = {};
};
struct Made {
  approval::Request request;
  std::string path;  // in the run's folder
  bool is_new;
};
// ERR_APPROVAL_REPLAYED closed (open already, or nothing waits), ERR_PACK_APPROVAL_REJECTED, _TIMEOUT, ERR_SITE_FROZEN,
// ERR_APPROVAL_MISMATCH policy (the plan must be made anew), and those of run::load_record.
[[nodiscard]] Made ask(const files::Home& home, journal::Journal& journal, const Wish& wish, clock::Time now);

}  // namespace stella::decision
