// SPDX-License-Identifier: Apache-2.0
// A signed TUF file: {"signatures": [{"keyid", "sig"}], "signed": {...}}. Any thread.
//
// The signature is over the canonical form of `signed`. Taken are only strings without control characters, keys in the
// BMP and integers within +-2^53: there TUF's canonical JSON and RFC 8785 are the same bytes (contract section 5).
// Source: TUF specification 1.0.31, sections 4.2 and 5; http://wiki.laptop.org/go/Canonical_JSON
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"
#include "mirror/metadata/role.hpp"

namespace stella::metadata {

struct DocumentSignature {
  std::string key_id;  // 64 hex
  std::string bytes;   // 64 raw bytes
};
struct Document {
  std::string text;       // the file
  canon::Json part;       // `signed`, not believed before require_signed
  std::string canonical;  // the bytes that are signed
  std::vector<DocumentSignature> signatures;
};

// Caps per role (mirror design, test 27): a document larger than its cap is refused unread.
inline constexpr std::uint64_t kMaxRoot = 512U << 10, kMaxTimestamp = 16U << 10, kMaxSnapshot = 2U << 20,
                               kMaxTargets = 16U << 20;

// ERR_MIRROR_MALFORMED reason json.
[[nodiscard]] Document parse_document(std::string text, const std::string& at, std::uint64_t max_bytes);

// How many of the role's keys signed; each raw key counts once, however often its signature is there.
[[nodiscard]] int count_signers(const Document& document, const RoleKeys& role, const Keys& keys);
// ERR_MIRROR_SIGNATURE reason threshold, naming role, count and threshold.
void require_signed(const Document& document, const RoleKeys& role, const Keys& keys, const std::string& at);

[[nodiscard]] canon::Json key_object(const trust::PublicKey& key);
[[nodiscard]] std::string key_id(const trust::PublicKey& key);

// The file's bytes: the whole in canonical form, signatures in the order of the keys, one newline at the end left out.
[[nodiscard]] std::string sign_document(const canon::Json& part, std::span<const trust::PrivateKey* const> keys);

}  // namespace stella::metadata
