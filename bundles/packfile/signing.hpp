// SPDX-License-Identifier: Apache-2.0
// A publisher's signature over a pack: an in-toto Statement (contract sections 5 and 6). Any thread.
#pragma once

#include <string>

#include "bundles/packfile/bundle.hpp"

namespace stella::packfile {

inline constexpr std::string_view kPackPredicate = "urn:stella:pack:v1";

// The envelope's bytes: subject NAME:VERSION with the pack digest, predicate {name, version}.
[[nodiscard]] std::string sign_digest(const std::string& name, const std::string& version, const canon::Digest& digest,
                                      const trust::PrivateKey& key);
// True when the (already verified) envelope says exactly this of this pack.
[[nodiscard]] bool speaks_of(const dsse::Envelope& envelope, const Opened& pack);

}  // namespace stella::packfile
