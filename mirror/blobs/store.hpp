// SPDX-License-Identifier: Apache-2.0
// Content by digest in an OCI layout: FOLDER/{oci-layout, blobs/sha256/<64 hex>, staging/}. Blobs are 0444 and flat.
//
// A name under blobs/ appears only after its bytes were hashed and are durable (syncfs, rename, syncfs), so a file of
// the right size there is a verified blob, also after a power cut. Writers go through a Batch; one at a time (the
// registry's lock is the caller's). Readers may be anywhere: what is read is hashed again.
// Errors: ERR_MIRROR_DIGEST (reason blob), ERR_NO_SPACE, ERR_MEDIA_GONE.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/files/fd.hpp"

namespace stella::blobs {

struct Blob {
  canon::Digest digest;
  std::uint64_t size_bytes = 0;
  auto operator<=>(const Blob&) const = default;
};

class Store {
 public:
  explicit Store(std::string folder) : folder_(std::move(folder)) {}
  void make() const;  // the folders and `oci-layout`, when they are missing

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  [[nodiscard]] std::string path_of(const canon::Digest& digest) const;
  [[nodiscard]] bool holds(const Blob& blob) const;  // there, a regular file, of this size
  // Whole, hashed; more than max_bytes or other bytes than the digest's are refused.
  [[nodiscard]] std::string read(const Blob& blob, std::uint64_t max_bytes) const;
  // In blocks; the error for wrong bytes comes after the last block, so `take` must not act before this returns.
  void stream(const Blob& blob, const std::function<void(std::string_view)>& take) const;
  [[nodiscard]] std::vector<Blob> list() const;
  void remove(const canon::Digest& digest) const;

 private:
  std::string folder_;
};

// Takes blobs one after the other and makes them durable together, 64 MiB or 256 at a time.
class Batch {
 public:
  explicit Batch(const Store& store);  // adopts what an interrupted batch left complete in staging/
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch();

  void begin(const Blob& blob);
  void write(std::string_view bytes);  // hashed as it is written; past the announced size: ERR_MIRROR_DIGEST
  void finish();                       // ERR_MIRROR_DIGEST when the bytes are not the digest's; the part is removed
  void commit();                       // everything finished so far is durable and in its place
  [[nodiscard]] std::uint64_t adopted() const noexcept { return adopted_; }  // blobs saved from an earlier batch

 private:
  [[nodiscard]] std::string part_of(const canon::Digest& digest) const;
  void adopt();
  void sync() const;

  const Store& store_;
  files::Fd folder_, part_;
  Blob current_;
  std::uint64_t written_ = 0, pending_bytes_ = 0, adopted_ = 0;
  canon::Sha256 hasher_;
  std::vector<canon::Digest> pending_;
};

}  // namespace stella::blobs
