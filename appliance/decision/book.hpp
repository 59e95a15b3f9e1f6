// SPDX-License-Identifier: Apache-2.0
// Where decisions are written down: the tenant's ledger, with anchors to everything else that the home holds
// (security.md rule 13), and the events of the run. One writer at a time (the ledger's own lock), one thread.
#pragma once

#include <optional>
#include <string>

#include "appliance/journal/journal.hpp"
#include "bundles/approval/ledger.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"

namespace stella::decision {

[[nodiscard]] std::string ledger_folder(const files::Home& home, const std::string& tenant);

// What the other rooms of the home say about themselves now. journal: head of `run`; evidence: the last sealed bag's
// number and list digest; null members where there is nothing.
[[nodiscard]] approval::Anchors anchors_now(const files::Home& home, const journal::Journal& journal,
                                            const std::string& run);

class Book {
 public:
  // Verifies the whole ledger first: ERR_JOURNAL_TAMPERED, ERR_APPROVAL_ROLLBACK. ERR_KEY_UNUSABLE without an identity.
  Book(const files::Home& home, const journal::Journal& journal, const std::string& tenant, const site::Policy& policy);
  [[nodiscard]] approval::Ledger& ledger() noexcept { return ledger_; }
  [[nodiscard]] const site::Identity& identity() const noexcept { return identity_; }
  struct Entry {
    std::string kind, run = {}, gate = {};
    canon::Json data = canon::Json::object();
    std::optional<canon::Digest> dsse = {};
  };
  void write(const Entry& entry, clock::Time now);
  [[nodiscard]] bool has(const std::string& kind, const canon::Digest& dsse) const;
  // A signed checkpoint of the ledger as it is, also when it is empty.
  [[nodiscard]] std::string checkpoint();

 private:
  const files::Home& home_;
  const journal::Journal& journal_;
  site::Identity identity_;
  approval::Ledger ledger_;
};

}  // namespace stella::decision
