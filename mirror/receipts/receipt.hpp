// SPDX-License-Identifier: Apache-2.0
// What became of each pull: receipts/NNNNNN.dsse.json, one signed Statement a file, chained by digest. The registry's
// writer lock is the caller's; readers may be anywhere.
//
// Predicate urn:stella:mirror-receipt:v1: {"number": 1.., "previous": SHA-256 hex of the file before (64 zeros first),
// "appliance", "at", "outcome": accepted|unchanged|refused, "import": {...}}; subject: the bundle's name with the
// digest of its timestamp.json (of nothing when it could not be read). Signed by the appliance. Errors:
// ERR_MIRROR_DIGEST reason receipts, naming the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"

namespace stella::receipts {

inline constexpr std::string_view kPredicateType = "urn:stella:mirror-receipt:v1";

struct Event {
  std::string outcome;
  dsse::Subject subject;
  canon::Json details;  // the `import` object
};
// The new receipt's number; durable when this returns.
std::int64_t append(const files::Home& home, const site::Identity& identity, clock::Time now, const Event& event);

struct Receipt {
  std::int64_t number = 0;
  std::string at, appliance, outcome, subject;
  canon::Json details;
};
// Every receipt in order, each signature by one of `keys` and each link of the chain checked.
[[nodiscard]] std::vector<Receipt> load_verified(const files::Home& home, const std::vector<trust::PublicKey>& keys);

}  // namespace stella::receipts
