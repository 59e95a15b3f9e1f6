// SPDX-License-Identifier: Apache-2.0
#include "bundles/archive/layer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>

#include "bundles/archive/locale.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::archive {
namespace {

using Archive = files::Handle<struct archive, archive_read_free>;

constexpr std::size_t kMaxPath = 2048, kMaxPart = 255, kMaxParts = 256, kMaxTarget = 4095;

// Valid UTF-8 without control and invisible characters.
bool is_plain(std::string_view text) {
  return canon::printable(text, text.size() + 1) == text;
}

class LayerReading : public MemberReader {
 public:
  LayerReading(const std::function<std::string_view()>& tar, const Codes& codes, LayerLimits limits)
      : tar_(tar), codes_(codes), limits_(limits), archive_(archive_read_new()) {}

  canon::Digest run(const std::function<void(const LayerEntry&, MemberReader&)>& visit) {
    start();
    std::size_t entries = 0;
    for (;;) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) fail_read();
      if (++entries > limits_.max_entries) fail("size", fmt::format("more than {} entries", limits_.max_entries));
      const LayerEntry found = read_entry(entry);
      done_ = 0;
      size_ = found.size_bytes;
      visit(found, *this);
    }
    // libarchive stops at the end mark; the digest is over all there is.
    for (auto bytes = tar_(); !bytes.empty(); bytes = tar_()) hash_.update(bytes);
    return hash_.finish();
  }

  std::string_view next() override {
    if (done_ == size_) return {};
    const void* bytes = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    do {
      if (archive_read_data_block(archive_.get(), &bytes, &length, &offset) != ARCHIVE_OK) fail_read();
      if (static_cast<std::uint64_t>(offset) != done_ || length > size_ - done_) fail("tar", "a sparse file");
    } while (length == 0);
    done_ += length;
    return {static_cast<const char*>(bytes), length};
  }

 private:
  static la_ssize_t read(struct archive*, void* self, const void** out) {
    auto* reading = static_cast<LayerReading*>(self);
    try {
      const std::string_view bytes = reading->tar_();
      reading->hash_.update(bytes);
      reading->ended_ = reading->ended_ || bytes.empty();
      *out = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {  // may not pass libarchive's frames: it waits here until libarchive has returned
      reading->thrown_ = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  void start() {
    if (!archive_) throw std::bad_alloc();
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_empty(archive_.get());
    if (archive_read_open(archive_.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) fail_read();
  }

  LayerEntry read_entry(archive_entry* entry) const {
    LayerEntry found{path_of(archive_entry_pathname(entry), "path"), kind_of(entry), 0, 0, 0, {}};
    const std::string shown = canon::printable(found.path, 200);
    found.mode = archive_entry_perm(entry) & 0777U;
    found.modified = std::clamp<std::int64_t>(archive_entry_mtime(entry), 0, std::int64_t{1} << 32);
    if (archive_entry_sparse_count(entry) != 0) fail("tar", shown + " is a sparse file");
    if (found.kind == LayerKind::file && archive_entry_size_is_set(entry) == 0) fail("tar", shown + " has no size");
    if (found.kind == LayerKind::file) found.size_bytes = static_cast<std::uint64_t>(archive_entry_size(entry));
    if (found.kind == LayerKind::hard_link) {
      found.target = path_of(archive_entry_hardlink(entry), "link");
      if (archive_entry_size(entry) != 0) fail("link", shown + " is a hard link with content of its own");
    }
    if (found.kind == LayerKind::symbolic_link) found.target = target_of(archive_entry_symlink(entry), shown);
    if (found.path.empty() && found.kind != LayerKind::folder) fail("path", "the root is no folder");
    return found;
  }

  static LayerKind kind_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr) return LayerKind::hard_link;
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return LayerKind::file;
      case AE_IFDIR:
        return LayerKind::folder;
      case AE_IFLNK:
        return LayerKind::symbolic_link;
      default:
        return LayerKind::other;
    }
  }

  // `./x/` is written by some and means x; everything else must be plain.
  std::string path_of(const char* raw, const char* reason) const {
    if (raw == nullptr) fail(reason, "a name that is no text");
    std::string_view path = raw;
    if (path.size() > kMaxPath) fail(reason, fmt::format("a path of more than {} bytes", kMaxPath));
    const std::string shown = canon::printable(path, 200);
    while (path.starts_with("./")) path.remove_prefix(2);
    if (path == ".") path = {};
    if (path.ends_with('/')) path.remove_suffix(1);
    if (!is_plain(path)) fail(reason, shown + " holds control or invisible characters, or is no UTF-8");
    if (path.starts_with('/')) fail(reason, shown + " is an absolute path");
    std::size_t parts = 0;
    for (std::string_view rest = path; !rest.empty();) {
      const std::size_t end = std::min(rest.find('/'), rest.size());
      const std::string_view part = rest.substr(0, end);
      if (part.empty() || part == "." || part == "..") fail(reason, shown + " is no plain path inside the image");
      if (part.size() > kMaxPart || ++parts > kMaxParts) fail(reason, shown + " is too long or too deep");
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::string(path);
  }

  std::string target_of(const char* raw, const std::string& shown) const {
    const std::string_view target = raw == nullptr ? "" : raw;
    if (target.empty() || target.size() > kMaxTarget || !is_plain(target))
      fail("link", shown + " is a link to something that is no path");
    return std::string(target);
  }

  [[noreturn]] void fail_read() const {
    if (thrown_) std::rethrow_exception(thrown_);
    const char* text = archive_error_string(archive_.get());
    fail(ended_ ? "truncated" : "tar", fmt::format("the layer is not a tar archive that can be read: {}",
                                                   canon::printable(text != nullptr ? text : "unknown", 200)));
  }
  [[noreturn]] void fail(const char* reason, const std::string& what) const {
    throw fault::Error(codes_.code, reason, what, codes_.name);
  }

  const std::function<std::string_view()>& tar_;
  const Codes& codes_;
  LayerLimits limits_;
  Archive archive_;
  canon::Sha256 hash_;
  std::exception_ptr thrown_;
  std::uint64_t done_ = 0, size_ = 0;  // of the current entry's content
  bool ended_ = false;
};

}  // namespace

canon::Digest read_layer(const std::function<std::string_view()>& source, Packing packing, const Codes& codes,
                         LayerLimits limits, const std::function<void(const LayerEntry&, MemberReader&)>& visit) {
  const Utf8Locale locale;
  const auto tar = unpacking(source, packing, codes, limits.max_bytes);
  return LayerReading(tar, codes, limits).run(visit);
}

}  // namespace stella::archive
