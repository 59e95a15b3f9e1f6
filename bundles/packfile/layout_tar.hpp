// SPDX-License-Identifier: Apache-2.0
// The tar around an OCI layout: the one order in which a `.pack` is written. One thread.
#pragma once

#include <string>

#include "bundles/packfile/blobs.hpp"

namespace stella::packfile {

// Writes oci-layout, index.json and the blobs that `manifest_bytes` names, each hashed again while it is copied, to
// `out` (atomically, mode 0644). Returns the size in bytes.
std::uint64_t write_layout_tar(const BlobFolder& blobs, const std::string& manifest_bytes,
                               const std::string& name_version, const std::string& out);

}  // namespace stella::packfile
