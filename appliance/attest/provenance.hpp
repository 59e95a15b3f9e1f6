// SPDX-License-Identifier: Apache-2.0
// The run as an in-toto Statement with SLSA provenance v1, buildType `urn:stella:pack-run:v1`. Any thread.
// Source: https://slsa.dev/spec/v1.0/provenance; `runDetails.stella` is ours: {state, code, attempt, tenant,
// requestedBy, journal {seq, head}, policy {version, digest}, host {osRelease, packages, stella}}.
#pragma once

#include <map>

#include "appliance/attest/seal.hpp"
#include "bundles/dsse/envelope.hpp"

namespace stella::attest {

struct Products {
  std::map<std::string, canon::Digest> artifacts;  // path in the bag -> digest
  std::map<std::string, canon::Digest> logs;
};
[[nodiscard]] dsse::Statement provenance(const Facts& facts, const Products& products);

}  // namespace stella::attest
