// SPDX-License-Identifier: Apache-2.0
// Which of this home's runs a response claims to be for, before and after its signature was checked: to find the
// policies it may be verified under, and the place where a refusal is written down. Decides nothing. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/gate/stored.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/run/record.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/files/home.hpp"

namespace stella::decision {

class Claim {
 public:
  Claim(const files::Home& home, const journal::Journal& journal);
  // Looks for the request whose payload digest the response names, among the waiting runs first; a response that names
  // none is claimed for the only run that waits, if there is one.
  void read(const dsse::Envelope& envelope);

  [[nodiscard]] const site::Policy* current() const { return current_ ? &current_->policy : nullptr; }
  // The current policy and the one that the claimed request pins.
  [[nodiscard]] std::vector<const site::Policy*> policies() const;
  [[nodiscard]] const std::string& run() const noexcept { return run_; }  // empty: of no run of this home
  [[nodiscard]] const std::string& gate() const noexcept { return gate_; }
  [[nodiscard]] const std::string& tenant() const noexcept { return tenant_; }
  // The run and gate to hold a verified answer against. ERR_APPROVAL_MISMATCH, reason run, when nothing here fits.
  [[nodiscard]] std::string run_of(const approval::Answer& answer) const;
  [[nodiscard]] std::string gate_of(const approval::Answer& answer, const run::Record& record) const;

 private:
  bool find_among(const std::vector<journal::RunRow>& runs, const canon::Digest& request);
  const journal::Journal& journal_;
  std::optional<site::Applied> current_;
  std::optional<site::Policy> pinned_;
  std::string run_, gate_, tenant_;
};

}  // namespace stella::decision
