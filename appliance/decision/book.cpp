// SPDX-License-Identifier: Apache-2.0
#include "appliance/decision/book.hpp"

#include <algorithm>
#include <utility>

namespace stella::decision {
namespace {

// Lines of an earlier identity of this appliance stay good while the policy lists its key.
std::vector<trust::PublicKey> ledger_keys(const site::Identity& identity, const site::Policy& policy) {
  std::vector<trust::PublicKey> keys = {identity.key.public_key()};
  for (const site::Appliance& each : policy.appliances)
    if (each.id == identity.id && !policy.is_revoked(each.key)) keys.push_back(each.key);
  return keys;
}

}  // namespace

std::string ledger_folder(const files::Home& home, const std::string& tenant) {
  return home.runs() + "/ledger/" + tenant;
}

Book::Book(const files::Home& home, const journal::Journal& journal, const std::string& tenant,
           const site::Policy& policy)
    : home_(home),
      journal_(journal),
      identity_(site::load_identity(home)),
      ledger_(
          approval::Ledger::open(ledger_folder(home, tenant), identity_.id, tenant, ledger_keys(identity_, policy))) {}

void Book::write(const Entry& entry, clock::Time now) {
  ledger_.append({.kind = entry.kind,
                  .run = entry.run,
                  .gate = entry.gate,
                  .data = entry.data,
                  .dsse = entry.dsse,
                  .anchors = anchors_now(home_, journal_, entry.run)},
                 identity_.key, now);
}

bool Book::has(const std::string& kind, const canon::Digest& dsse) const {
  return std::ranges::any_of(ledger_.view().lines,
                             [&](const approval::LedgerLine& line) { return line.kind == kind && line.dsse == dsse; });
}

std::string Book::checkpoint() {
  return ledger_.sign_checkpoint(identity_.key);
}

}  // namespace stella::decision
