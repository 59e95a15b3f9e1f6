// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "appliance/attest/seal.hpp"
#include "appliance/decision/book.hpp"
#include "mirror/catalog/catalog.hpp"
#include "vault/lease/lease.hpp"
#include "vault/secrets/store.hpp"

namespace stella::decision {
namespace {

// A room that cannot say how it stands (a damaged vault, a busy registry) must not keep people from deciding: it is
// null in the line, and the next line that has it shows the gap.
template <class Value>
std::optional<Value> found_or_nothing(const std::function<std::optional<Value>()>& look) {
  try {
    return look();
  } catch (const fault::Error&) {
    return std::nullopt;
  }
}

std::optional<approval::Anchors::Vault> vault_now(const files::Home& home) {
  const secrets::Standing standing = secrets::Store::standing(lease::vault_path(home));
  return approval::Anchors::Vault{standing.head.generation, standing.head.root.tagged()};
}

std::optional<approval::Anchors::Mirror> mirror_now(const files::Home& home) {
  if (!catalog::Catalog::exists(home)) return std::nullopt;
  const auto generations = catalog::Catalog::open(home).generations();
  return generations.empty() ? std::nullopt : std::optional(approval::Anchors::Mirror{generations.front()});
}

std::optional<approval::Anchors::Evidence> evidence_now(const files::Home& home) {
  const attest::Last last = attest::last_bag(home);
  if (last.number == 0) return std::nullopt;
  return approval::Anchors::Evidence{last.number,
                                     canon::parse_digest(last.list, fault::Code::journal_tampered, "last bag")};
}

}  // namespace

approval::Anchors anchors_now(const files::Home& home, const journal::Journal& journal, const std::string& run) {
  approval::Anchors anchors;
  if (!run.empty()) {
    const journal::Head head = journal.head(run);
    if (head.seq > 0) anchors.journal = {head.seq, head.hash};
  }
  if (const auto applied = site::load_applied(home)) anchors.site = {applied->policy.version, applied->policy.digest};
  anchors.vault = found_or_nothing<approval::Anchors::Vault>([&] { return vault_now(home); });
  anchors.mirror = found_or_nothing<approval::Anchors::Mirror>([&] { return mirror_now(home); });
  anchors.evidence = found_or_nothing<approval::Anchors::Evidence>([&] { return evidence_now(home); });
  return anchors;
}

}  // namespace stella::decision
