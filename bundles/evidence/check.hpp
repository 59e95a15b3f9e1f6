// SPDX-License-Identifier: Apache-2.0
// Is every byte of a bag the one that was listed? Needs no key. Any thread; reads each file once.
// Errors: ERR_EVIDENCE_TAMPERED (content, list, manifest, kind) and ERR_EVIDENCE_INCOMPLETE (missing, extra), at the
// file.
#pragma once

#include <cstdint>
#include <string>

#include "bundles/evidence/sums.hpp"

namespace stella::evidence {

struct Integrity {
  std::string folder;  // the bag
  Sums sums;
  canon::Digest list_digest;  // of SHA256SUMS
  std::uint64_t bytes = 0;
};

// PATH may be the bag, or a folder (a medium) that holds exactly one beneath STELLA-EVIDENCE/.
[[nodiscard]] std::string find_bag(const std::string& path);
// The list covers exactly what is there, each file has its digest, the BagIt manifests say the same, and the signed
// statement is about this very list.
[[nodiscard]] Integrity check_integrity(const std::string& bag);
// One file of a bag whose integrity holds, bounded; verified again against the list while it is read.
[[nodiscard]] std::string read_listed(const Integrity& integrity, const std::string& path, std::uint64_t max_bytes);

}  // namespace stella::evidence
