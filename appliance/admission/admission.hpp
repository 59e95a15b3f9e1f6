// SPDX-License-Identifier: Apache-2.0
// The one door by which a pack comes to `pack plan` and `pack run`: read once, hashed, signature and denials checked,
// and only then its manifest parsed. One thread per home and call.
#pragma once

#include <optional>
#include <string>

#include "appliance/pack/manifest.hpp"
#include "bundles/files/home.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/site/policy.hpp"

namespace stella::admission {

struct Wanted {                       // exactly one of them
  std::optional<std::string> pack;    // NAME:VERSION of the home's registry
  std::optional<std::string> bundle;  // a .pack file or an OCI layout folder
};

struct Admitted {
  packfile::Accepted pack;  // its blobs lie in the home's packs/ cache
  pack::Manifest manifest;
};
// policy null: ERR_PACK_SIGNATURE unknown-publisher. Others: packfile::accept's; ERR_PACK_SIGNATURE reason `scope` when
// the tenant may not use the pack, `digest` when its name:version was seen with another one; ERR_PACK_NOT_FOUND;
// ERR_PACK_INVALID when pack.yaml is wrong or says another name or version than the config.
[[nodiscard]] Admitted admit(const files::Home& home, const Wanted& wanted, const site::Policy* policy,
                             const std::string& tenant);

// For authors, on a home without a policy: the pack is whole, nobody vouches for it. Good for `pack plan` only.
struct Looked {
  packfile::Opened pack;
  pack::Manifest manifest;
};
[[nodiscard]] Looked look(const files::Home& home, const Wanted& wanted);

// Reads files of an opened pack for schemas (bounded at 1 MiB each).
[[nodiscard]] pack::FileReader reader_of(const packfile::Opened& pack);

}  // namespace stella::admission
