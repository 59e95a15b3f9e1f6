// SPDX-License-Identifier: Apache-2.0
// Lists of digests as coreutils' sha256sum and BagIt write them: `<64 hex>  <path>\n`, sorted by path. Any thread.
// Source: sha256sum(1), RFC 8493 section 2.1.3.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bundles/canon/digest.hpp"

namespace stella::evidence {

using Sums = std::map<std::string, canon::Digest>;  // path -> digest

inline constexpr std::uint64_t kMaxSumsBytes = std::uint64_t{256} << 20;

[[nodiscard]] std::string format_sums(const Sums& sums);
// Strict: safe relative paths, sorted, no line twice, LF, final newline. ERR_EVIDENCE_TAMPERED reason `list`, at
// name:line.
[[nodiscard]] Sums parse_sums(std::string_view text, const std::string& name);

}  // namespace stella::evidence
