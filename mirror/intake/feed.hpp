// SPDX-License-Identifier: Apache-2.0
// Reading a bundle from a medium: a folder, or a plain tar of it. Each file is opened once beneath the bundle's folder
// (openat2: no links, no other mount) and read through that one descriptor with pread, never mapped; nothing is
// written. A path that is files::named() is opened by its bearer, file by file, with that person's rights. One thread
// each.
//
// Errors: ERR_MIRROR_MALFORMED (missing, type, link, truncated, and archive's reasons), ERR_MEDIA_GONE when the medium
// stops answering, ERR_FILE_NOT_FOUND and ERR_FILE_UNSUITABLE for the argument itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stella::intake {

// A stretch of an open file. Lives as long as its Feed.
struct Part {
  int fd = -1;
  std::uint64_t base = 0, size_bytes = 0;
  std::string name;
  // Exactly out.size() bytes from `offset`; past the end is ERR_MIRROR_MALFORMED reason truncated.
  void read(std::uint64_t offset, std::span<char> out) const;
};

class Feed {
 public:
  virtual ~Feed() = default;
  // The bytes of a small file (metadata/timestamp.json); nothing when the bundle has none.
  [[nodiscard]] virtual std::optional<std::string> document(const std::string& path, std::uint64_t max_bytes) = 0;
  [[nodiscard]] virtual Part part(const std::string& path) = 0;             // of a large one
  [[nodiscard]] const std::string& name() const noexcept { return name_; }  // for messages and receipts

 protected:
  explicit Feed(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

// `path`: a medium's folder (the newest full bundle of `source` in its STELLA-MIRROR), a bundle's folder, or a tar.
[[nodiscard]] std::unique_ptr<Feed> open_feed(const std::string& path, const std::string& source);
// The only mounted medium that has a STELLA-MIRROR folder; ERR_USAGE with the list when there is none or several.
[[nodiscard]] std::string find_medium();

// The two kinds, for open_feed.
[[nodiscard]] std::unique_ptr<Feed> open_folder_feed(const std::string& path);
[[nodiscard]] std::unique_ptr<Feed> open_tar_feed(const std::string& path);

}  // namespace stella::intake
