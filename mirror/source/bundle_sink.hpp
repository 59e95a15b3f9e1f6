// SPDX-License-Identifier: Apache-2.0
// Where a published bundle goes: a folder STELLA-MIRROR/<name>/ on a medium, or one plain tar. Until finish() nothing
// stands under the final name. Errors: ERR_MEDIA_FULL, ERR_MEDIA_GONE, ERR_FILE_NOT_FOUND, ERR_FILE_UNSUITABLE.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace stella::source {

class BundleSink {
 public:
  virtual ~BundleSink() = default;
  virtual void begin(const std::string& path, std::uint64_t size_bytes) = 0;
  virtual void write(std::string_view bytes) = 0;
  virtual void end() = 0;
  virtual std::string finish() = 0;  // durable; the path that was written
};

// needed_bytes: what the bundle will take, checked against the free space first.
[[nodiscard]] std::unique_ptr<BundleSink> open_sink(const std::string& to, const std::string& name,
                                                    std::uint64_t needed_bytes);

}  // namespace stella::source
