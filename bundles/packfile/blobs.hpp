// SPDX-License-Identifier: Apache-2.0
// The private folder in which the blobs of one pack lie, each under the 64 hex digits of its SHA-256. What is taken in
// is hashed while it is written, what is read is hashed again. One thread per folder.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bundles/canon/digest.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/packfile/oci.hpp"

namespace stella::packfile {

class BlobFolder {
 public:
  explicit BlobFolder(std::string path);  // made, mode 0700, when it is missing
  class Writer {
   public:
    Writer(Writer&&) = delete;
    ~Writer();  // an unfinished blob goes away
    void write(std::string_view bytes);
    // Gives the blob its name. With `expected`: other bytes throw ERR_PACK_SIGNATURE, reason `digest`.
    Descriptor finish(std::string_view media_type, const canon::Digest* expected = nullptr);

   private:
    friend class BlobFolder;
    Writer(const BlobFolder& folder, std::string shown);
    const BlobFolder& folder_;
    std::string shown_, temporary_;
    files::Fd fd_;
    canon::Sha256 hash_;
    std::uint64_t size_bytes_ = 0;
  };
  [[nodiscard]] Writer begin(const std::string& shown) const { return Writer(*this, shown); }
  Descriptor put(std::string_view bytes, std::string_view media_type) const;
  [[nodiscard]] bool has(const canon::Digest& digest) const;
  [[nodiscard]] std::string path_of(const canon::Digest& digest) const { return path_ + "/" + digest.hex(); }
  // The bytes of a blob, at most max_bytes (ERR_PACK_INVALID, reason size), checked against size and digest
  // (ERR_PACK_SIGNATURE, reason digest).
  [[nodiscard]] std::string read(const Descriptor& blob, std::uint64_t max_bytes, const std::string& shown) const;
  // The same for blobs of any size, in pieces.
  void stream(const Descriptor& blob, const std::function<void(std::string_view)>& take) const;

 private:
  std::string path_;
};

// A private folder that goes away with its owner.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& parent);
  TemporaryFolder(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace stella::packfile
