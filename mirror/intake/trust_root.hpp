// SPDX-License-Identifier: Apache-2.0
// The mirror root that this home trusts: pinned once under the site policy, then extended by its own chain.
//
// Files: mirror/trust/pinned.json {"schema", "source", "root": sha256:HEX of the pinned file, "version"} and every
// N.root.json from the pinned one on. The chain is verified anew at each load, so a planted root counts for nothing.
// Errors: ERR_MIRROR_UNTRUSTED (no-root, unlisted, pinned, expect), ERR_MIRROR_SIGNATURE, ERR_MIRROR_MALFORMED.
#pragma once

#include <optional>
#include <string>

#include "bundles/canon/digest.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"
#include "mirror/metadata/verify.hpp"

namespace stella::intake {

enum class Listing { by_policy, by_nobody };  // by_nobody: the policy lists no mirror sources, or there is no policy

struct Candidate {
  metadata::TrustedRoot root;
  canon::Digest digest;  // of the file's bytes: what a policy lists
  std::string text;
  Listing listing = Listing::by_nobody;
  [[nodiscard]] const std::string& source() const { return root.root.header.origin.source; }
};
// Reads and checks a root file; ERR_MIRROR_UNTRUSTED when the policy lists sources and not this one.
[[nodiscard]] Candidate inspect_root(std::string text, const std::string& at, const site::Policy* policy);

enum class Pinned { now, already };
// ERR_MIRROR_UNTRUSTED reason pinned when another root is trusted here.
Pinned pin(const files::Home& home, const Candidate& candidate);

struct Trust {
  metadata::TrustedRoot root;
  std::string source;
  canon::Digest pinned;
};
[[nodiscard]] bool has_trust(const files::Home& home);
// The chain held here, still listed by the policy; ERR_MIRROR_UNTRUSTED.
[[nodiscard]] Trust load_trust(const files::Home& home, const site::Policy* policy);
void store_roots(const files::Home& home, const metadata::TrustedRoot& root);  // those that are new

}  // namespace stella::intake
