// SPDX-License-Identifier: Apache-2.0
// Takes blobs out of a bundle's volumes. Every byte around a blob must be what volumes::member_header says, so that no
// byte of a volume is without a signature. Errors: ERR_MIRROR_DIGEST (volume), ERR_MIRROR_MALFORMED, ERR_MEDIA_GONE.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "mirror/intake/feed.hpp"
#include "mirror/volumes/volume.hpp"

namespace stella::intake {

class VolumeReader {
 public:
  VolumeReader(Feed& feed, const std::vector<volumes::Row>& rows);  // opens every volume and checks its size
  // The blob's bytes in blocks of up to 1 MiB; unverified until the caller has hashed them.
  void fetch(const volumes::Row& row, const std::function<void(std::string_view)>& take) const;
  void check_frame(const volumes::Row& row) const;  // header and padding, without the blob
  void check_tails() const;

 private:
  [[nodiscard]] const Part& volume_of(const volumes::Row& row) const;
  void expect(const Part& part, std::uint64_t offset, std::string_view bytes) const;
  std::vector<Part> parts_;
};

}  // namespace stella::intake
