// SPDX-License-Identifier: Apache-2.0
// Writes an evidence bag: a BagIt 1.0 bag with SHA256SUMS and two signatures over it (contract section 11). It grows in
// a
// `.partial-` folder beside its place and gets its name when every byte is on the disk. One thread.
// Order: payload, tag files, manifests, list, signatures. Source: RFC 8493, DSSE, OpenSSH PROTOCOL.sshsig.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/evidence/sums.hpp"
#include "bundles/trust/key.hpp"

namespace stella::evidence {

inline constexpr std::string_view kListType = "urn:stella:evidence:v1";

struct About {
  std::string run, tenant, state, home_kind;
  std::int64_t number = 0;
  std::string previous;  // digest of the previous bag's list, `sha256:HEX`; empty: this is the first
  clock::Time sealed_at{};
  std::string software;  // `stella 0.1.0`
};

class BagWriter {
 public:
  explicit BagWriter(std::string folder);  // the final place; an old partial one is removed
  ~BagWriter();                            // removes what was not finished
  BagWriter(const BagWriter&) = delete;
  BagWriter& operator=(const BagWriter&) = delete;

  void add(const std::string& path, std::string_view bytes);
  // Copies a regular file beneath `root` (links are refused), hashing on the way. ERR_FILE_UNSUITABLE, ERR_NO_SPACE.
  canon::Digest add_file(const std::string& path, const std::string& root, const std::string& relative);
  // Content that comes in blocks, from `produce`.
  using Take = std::function<void(std::string_view)>;
  canon::Digest add_stream(const std::string& path, const std::function<void(const Take&)>& produce);
  // Tag files of BagIt, the list and its signatures; returns the list's digest. The bag stands at its place afterwards.
  canon::Digest finish(const About& about, const trust::PrivateKey& appliance);

 private:
  void put(const std::string& path, std::string_view bytes);
  std::string folder_, partial_;
  Sums sums_;
  std::uint64_t payload_bytes_ = 0, payload_files_ = 0;
  bool finished_ = false;
};

[[nodiscard]] std::string bag_name(const std::string& tenant, clock::Time sealed_at, const canon::Digest& plan_hash);

}  // namespace stella::evidence
