// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes, and the checkpoint of an append-only log as one. Any thread.
//
// Note: text, an empty line, then lines `— NAME BASE64(key hash (4 bytes) || Ed25519 signature (64 bytes) over text)`.
// Checkpoint text: `origin`, size in decimal, base64 of the RFC 6962 root, one line each and no others.
// Limits: note <= 16 KiB, 1..16 signatures, size <= 2^53. Key hash = SHA-256(name || LF || 01 || raw key), first four.
// Source: C2SP signed-note and tlog-checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/trust/key.hpp"

namespace stella::checkpoint {

struct NoteSignature {
  std::string name;   // the signer's, as in its verifier key
  std::string bytes;  // key hash and signature, 68 raw bytes for Ed25519; other lengths are kept and never verify
};
struct Note {
  std::string text;  // ends with a newline
  std::vector<NoteSignature> signatures;
};

struct Checkpoint {
  std::string origin;
  std::int64_t size = 0;
  canon::Digest root;
  bool operator==(const Checkpoint&) const = default;
};

[[nodiscard]] std::string format(const Checkpoint& checkpoint);  // the text of its note
// text must end with a newline and have no empty line. The signer's name has no space and no `+`; else `internal`.
[[nodiscard]] std::string sign_note(std::string_view text, std::string_view name, const trust::PrivateKey& key);
[[nodiscard]] std::string sign(const Checkpoint& checkpoint, std::string_view name, const trust::PrivateKey& key);

// Throws `malformed`, reason `note`, at `at`.
[[nodiscard]] Note parse_note(std::string_view note, fault::Code malformed, const std::string& at);
// Throws `malformed`, reason `checkpoint`. Call it with the text of a note that is_signed_by somebody trusted.
[[nodiscard]] Checkpoint parse_checkpoint(std::string_view text, fault::Code malformed, const std::string& at);
[[nodiscard]] bool is_signed_by(const Note& note, std::string_view name, const trust::PublicKey& key);

}  // namespace stella::checkpoint
