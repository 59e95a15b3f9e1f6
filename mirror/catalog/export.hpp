// SPDX-License-Identifier: Apache-2.0
// Handing a pack of the registry to the runner: found by name for a tenant, written as a `.pack` with its digests
// checked again. Any thread; nothing is trusted by this: packfile::open and accept follow.
#pragma once

#include <string>

#include "bundles/files/home.hpp"
#include "mirror/catalog/catalog.hpp"

namespace stella::catalog {

// NAME:VERSION as this tenant may see it; ERR_PACK_NOT_FOUND (reason missing, tenant) with what is there instead.
[[nodiscard]] Pack need_pack(const files::Home& home, const std::string& name_version, const std::string& tenant);

// Writes the pack as an OCI layout in a tar with exactly one descriptor, atomically, mode 0600; the same pack gives the
// same bytes. ERR_MIRROR_DIGEST when a blob is missing or altered: then nothing is written.
Pack export_pack(const files::Home& home, const std::string& name_version, const std::string& tenant,
                 const std::string& out_pack_file);

}  // namespace stella::catalog
