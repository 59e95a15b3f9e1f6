// SPDX-License-Identifier: Apache-2.0
// What a home pins: site/pinned.json {"schema":"stella.pinned.v1","site","pins":[{digest, version, threshold, keys}]}:
// for each policy digest the admins that authorised it when it was applied. Two pins only while an apply is under way,
// so that at any instant the policy on disk has its pin. And /etc/stella/trust.json {site, threshold, keys}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundles/site/policy.hpp"

namespace stella::site {

struct Pin {
  canon::Digest digest;
  std::int64_t version = 0;
  TrustRule rule;
};
struct Pinned {
  std::string site;
  std::vector<Pin> pins;
  [[nodiscard]] const Pin* find(const canon::Digest& digest) const;
};
[[nodiscard]] std::optional<Pinned> load_pinned(const files::Home& home);
void store_pinned(const files::Home& home, const Pinned& pinned);

struct MachineTrust {
  std::string site;
  TrustRule rule;
};
inline constexpr const char* kMachineTrust = "/etc/stella/trust.json";
// nullopt when the file does not exist. Not owned by root or writable by others: ERR_SITE_SIGNATURE reason `pinned`.
[[nodiscard]] std::optional<MachineTrust> load_machine_trust(const std::string& path = kMachineTrust);

// How many of the rule's keys must have signed.
[[nodiscard]] int threshold_of(const TrustRule& rule);
// Throws `untrusted`, reason `threshold`, when fewer of the rule's keys signed than it asks for.
void require_signed(const dsse::Envelope& envelope, const TrustRule& rule, const std::string& whose,
                    fault::Code untrusted, const std::string& at);
[[nodiscard]] TrustRule own_admins(const Policy& policy);  // without revoked keys

}  // namespace stella::site
