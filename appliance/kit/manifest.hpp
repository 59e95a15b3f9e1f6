// SPDX-License-Identifier: Apache-2.0
// What a finished run says of itself for the offline kit: one DSSE envelope with an in-toto Statement of type
// urn:stella:run-manifest:v1 (docs/formats/run-manifest.md). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "appliance/journal/journal.hpp"
#include "bundles/dsse/envelope.hpp"

namespace stella::kit {

inline constexpr std::string_view kManifestType = "urn:stella:run-manifest:v1";

[[nodiscard]] bool has_ended(const journal::RunRow& row);
// Of the attempt whose evidence is sealed last; nothing while the run has not ended or its evidence is not sealed.
//
// Subjects: plan.json (the plan hash) and <bag>/SHA256SUMS (the list digest). Predicate: {runId, tenant, attempt, pack
// {name, version, digest}, planHash, state, code, reason, requestedBy, evidence {bag, number, list}, times {submitted,
// started, ended, sealed}, appliance}. What did not happen is null.
struct Manifest {
  std::string file;  // <run id with _ for :>.<attempt>.run.dsse.json
  dsse::Statement statement;
};
[[nodiscard]] std::optional<Manifest> manifest_of(const journal::Journal& journal, const journal::RunRow& row,
                                                  const std::string& appliance);

}  // namespace stella::kit
