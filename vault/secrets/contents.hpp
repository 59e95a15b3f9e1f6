// SPDX-License-Identifier: Apache-2.0
// The vault's index: which secrets there are and where their versions lie. Sealed as a whole, so names, scopes, tenants
// and counts per tenant are not to be read from the file; padded to 1 KiB steps. Any thread.
//
// Shape (RFC 8785, before sealing): {"secrets": [{tenant, name, scope, term, last, versions: [{number, object, digest,
// created, lastFour?, short}]}]}. A removed secret keeps its row with no versions, so that its numbers are never used
// again: a version that was reviewed can not come back as another value.
// Errors: ERR_VAULT_TAMPERED, reason `contents`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/locked/bytes.hpp"
#include "vault/secrets/file.hpp"

namespace stella::secrets {

struct Version {
  std::int64_t number;
  ObjectId object;
  canon::Digest digest;  // of the object's sealed body
  clock::Time created;
  std::optional<std::string> last_four;
  bool is_short;  // under 8 bytes: matched whole only when redacting
};

struct Secret {
  std::string tenant, name, scope;
  std::int64_t term = 1, last = 0;
  std::vector<Version> versions;  // oldest first
};

struct Contents {
  std::vector<Secret> secrets;
  [[nodiscard]] Secret* find(std::string_view tenant, std::string_view name);  // nullptr; removed ones are found too
  [[nodiscard]] ObjectDigests digests() const;
};

[[nodiscard]] locked::Bytes write_contents(const Contents& contents);
[[nodiscard]] Contents read_contents(const locked::Bytes& bytes);
[[nodiscard]] canon::Digest merkle_root(const ObjectDigests& digests);

}  // namespace stella::secrets
