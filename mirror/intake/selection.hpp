// SPDX-License-Identifier: Apache-2.0
// Which packs of a verified generation this home takes. A pack is taken when one of the site's tenants may see it, by
// the publisher's `tenants` and by the policy's `packs`; without a policy, when it is for every tenant. Any thread.
// Errors: ERR_MIRROR_MALFORMED (path, json), ERR_MIRROR_DIGEST reason changed.
#pragma once

#include <vector>

#include "bundles/site/policy.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/metadata/verify.hpp"

namespace stella::intake {

struct Selection {
  std::vector<catalog::Pack> packs;  // without their blobs: those are known once the manifest is read
  std::vector<catalog::Skipped> skipped;
};
[[nodiscard]] Selection select_packs(const metadata::Verified& verified, const site::Policy* policy);

}  // namespace stella::intake
