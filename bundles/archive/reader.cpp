// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <exception>

#include "bundles/archive/locale.hpp"
#include "bundles/archive/names.hpp"
#include "bundles/archive/tar.hpp"
#include "bundles/archive/walk.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::archive {
namespace {

using Archive = files::Handle<struct archive, archive_read_free>;

class Reading : public MemberReader {
 public:
  Reading(const std::function<std::string_view()>& source, const Codes& codes, Limits limits)
      : source_(source), codes_(codes), walk_(codes, limits), names_(codes), archive_(archive_read_new()) {}

  void run(const std::function<void(const Member&, MemberReader&)>& visit);
  std::string_view next() override;

 private:
  static la_ssize_t read(struct archive*, void* self, const void** out);
  void start();
  [[noreturn]] void fail_read();
  [[noreturn]] void fail(const char* reason, const std::string& what) const {
    throw fault::Error(codes_.code, reason, what, codes_.name);
  }
  [[nodiscard]] Member member(archive_entry* entry);
  void drain();

  const std::function<std::string_view()>& source_;
  const Codes& codes_;
  Walk walk_;
  NameSet names_;
  Archive archive_;
  std::exception_ptr thrown_;
  std::uint64_t done_ = 0, size_ = 0;  // of the current member's content
  bool ended_ = false;
};

// An exception may not pass libarchive's frames: it waits here until libarchive has returned.
la_ssize_t Reading::read(struct archive*, void* self, const void** out) {
  auto* reading = static_cast<Reading*>(self);
  try {
    const std::string_view bytes = reading->ended_ ? std::string_view() : reading->source_();
    if (bytes.empty()) reading->ended_ = true;
    reading->walk_.take(bytes);
    *out = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) {
    reading->thrown_ = std::current_exception();
    return ARCHIVE_FATAL;
  }
}

void Reading::start() {
  if (!archive_) throw std::bad_alloc();
  archive_read_support_format_tar(archive_.get());
  if (archive_read_open(archive_.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) fail_read();
}

void Reading::fail_read() {
  if (thrown_) std::rethrow_exception(thrown_);
  if (ended_) walk_.finish();  // a stream that stops early is named so, whatever libarchive makes of it
  const char* text = archive_error_string(archive_.get());
  fail("tar",
       fmt::format("this is not a tar archive that can be read: {}", canon::printable(text ? text : "unknown", 200)));
}

Member Reading::member(archive_entry* entry) {
  if (walk_.members.empty()) fail("tar", "two readings of the archive see different members");
  const Seen seen = walk_.members.front();
  walk_.members.pop_front();
  const char* raw = archive_entry_pathname(entry);
  std::string path = raw == nullptr ? std::string() : std::string(raw);
  if (seen.type == Type::folder && path.ends_with('/')) path.pop_back();
  check_path(path, codes_);
  const std::string shown = canon::printable(path, 200);
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr)
    fail("link", shown + " is a link");
  const mode_t kind = archive_entry_filetype(entry);
  if (kind != (seen.type == Type::file ? AE_IFREG : AE_IFDIR))
    fail("type", shown + " is neither a plain file nor a folder");
  if (archive_entry_sparse_count(entry) != 0) fail("type", shown + " is a sparse file");
  const bool same_size =
      seen.type == Type::folder || (archive_entry_size_is_set(entry) != 0 &&
                                    static_cast<std::uint64_t>(archive_entry_size(entry)) == seen.size_bytes);
  if (!same_size) fail("tar", shown + " has two sizes");
  const unsigned mode = archive_entry_perm(entry);
  if ((mode & 07000U) != 0) fail("type", shown + " has set-id or sticky bits");
  names_.add(path, seen.type);
  return Member{path, seen.type, mode & 0777U, seen.size_bytes, seen.offset};
}

std::string_view Reading::next() {
  if (done_ == size_) return {};
  const void* bytes = nullptr;
  std::size_t length = 0;
  la_int64_t offset = 0;
  for (;;) {
    const int status = archive_read_data_block(archive_.get(), &bytes, &length, &offset);
    if (status != ARCHIVE_OK) fail_read();
    if (static_cast<std::uint64_t>(offset) != done_ || length > size_ - done_) fail("type", "a sparse file");
    if (length > 0) break;
  }
  done_ += length;
  return {static_cast<const char*>(bytes), length};
}

// libarchive stops at the first zero block: what follows must be the rest of the end mark and padding.
void Reading::drain() {
  while (!ended_) {
    const std::string_view bytes = source_();
    ended_ = bytes.empty();
    walk_.take(bytes);
  }
  walk_.finish();
  if (!walk_.members.empty()) fail("tar", "two readings of the archive see different members");
}

void Reading::run(const std::function<void(const Member&, MemberReader&)>& visit) {
  start();
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) fail_read();
    const Member found = member(entry);
    done_ = 0;
    size_ = found.size_bytes;
    visit(found, *this);
  }
  if (thrown_) std::rethrow_exception(thrown_);
  drain();
}

}  // namespace

void read_tar(const std::function<std::string_view()>& source, const Codes& codes, Limits limits,
              const std::function<void(const Member&, MemberReader&)>& visit) {
  const Utf8Locale locale;
  Reading(source, codes, limits).run(visit);
}

}  // namespace stella::archive
