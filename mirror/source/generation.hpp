// SPDX-License-Identifier: Apache-2.0
// Making a generation: from the state of a mirror to its signed metadata and the layout of its volumes. Any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bundles/clock/time.hpp"
#include "mirror/source/role_keys.hpp"
#include "mirror/source/state.hpp"
#include "mirror/volumes/volume.hpp"

namespace stella::source {

// Manifests first, so that a reader knows after a few kilobytes which blobs it needs; each blob once.
[[nodiscard]] std::vector<volumes::Row> lay_out_packs(const std::vector<catalog::Pack>& packs);

using Signers = std::map<std::string, trust::PrivateKey>;  // by role
// File name -> bytes of timestamp.json, G.snapshot.json, G.targets.json and each channel's.
[[nodiscard]] std::map<std::string, std::string> sign_generation(const State& state, const std::string& index,
                                                                 const Signers& signers);

}  // namespace stella::source
