// SPDX-License-Identifier: Apache-2.0
// Tars as other tools make them, with everything that our own writer refuses.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <string>

namespace stella::builders {

struct Made {
  std::string bytes;
  struct archive* out = archive_write_new();
  explicit Made(int filter = ARCHIVE_FILTER_NONE, int format = ARCHIVE_FORMAT_TAR_PAX_RESTRICTED) {
    archive_write_set_format(out, format);
    archive_write_add_filter(out, filter);
    archive_write_set_bytes_per_block(out, 0);
    archive_write_open(out, &bytes, nullptr, append, nullptr);
  }
  ~Made() { archive_write_free(out); }
  Made(Made&&) = delete;
  static la_ssize_t append(struct archive*, void* to, const void* data, size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  }
  Made& add(const char* path, unsigned type, const std::string& content = {}, const char* target = nullptr,
            unsigned mode = 0644) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_mode(entry, type | mode);
    archive_entry_set_mtime(entry, 1700000000, 5);
    if (type == AE_IFREG) archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    if (type == AE_IFLNK) archive_entry_set_symlink(entry, target);
    if (type == AE_IFREG && target != nullptr) archive_entry_set_hardlink(entry, target);
    archive_write_header(out, entry);
    if (type == AE_IFREG) archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
    return *this;
  }
  std::string done() {
    archive_write_close(out);
    return bytes;
  }
};

}  // namespace stella::builders
