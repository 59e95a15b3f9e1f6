// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <exception>

#include "bundles/archive/layer.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::archive {
namespace {

using Archive = files::Handle<struct archive, archive_read_free>;

constexpr std::uint64_t kAlwaysFine = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostTimes = 200;

// Exactly one filter, named by the caller: libarchive's own guessing would also unpack what is packed twice, and take
// anything that it does not know as it is.
class Unpacking {
 public:
  Unpacking(const std::function<std::string_view()>& source, Packing packing, Codes codes, std::uint64_t max_bytes)
      : source_(source), packing_(packing), codes_(std::move(codes)), max_bytes_(max_bytes) {}

  std::string_view next() {
    std::string_view bytes = packing_ == Packing::none ? source_() : unpacked();
    given_ += bytes.size();
    if (given_ > max_bytes_) fail("size", fmt::format("it unpacks to more than {} bytes", max_bytes_));
    if (packing_ != Packing::none && given_ > kAlwaysFine && given_ / kMostTimes > taken_)
      fail("ratio", fmt::format("it unpacks to more than {} times its size", kMostTimes));
    return bytes;
  }

 private:
  static la_ssize_t read(struct archive*, void* self, const void** out) {
    auto* unpacking = static_cast<Unpacking*>(self);
    try {
      const std::string_view bytes = unpacking->source_();
      unpacking->taken_ += bytes.size();
      unpacking->ended_ = unpacking->ended_ || bytes.empty();
      *out = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {  // may not pass libarchive's frames: it waits here until libarchive has returned
      unpacking->thrown_ = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  void start() {
    archive_.reset(archive_read_new());
    if (!archive_) throw std::bad_alloc();
    const int filter = packing_ == Packing::gzip ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD;
    archive_read_support_format_raw(archive_.get());
    if (archive_read_append_filter(archive_.get(), filter) != ARCHIVE_OK) fail_read();
    if (archive_read_open(archive_.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) fail_read();
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) fail("truncated", "it is packed, and nothing is in it");
    if (status != ARCHIVE_OK) fail_read();
  }

  std::string_view unpacked() {
    if (!archive_) start();
    for (;;) {
      const void* bytes = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(archive_.get(), &bytes, &length, &offset);
      if (status == ARCHIVE_EOF) return {};
      if (status != ARCHIVE_OK) fail_read();
      if (length > 0) return {static_cast<const char*>(bytes), length};
    }
  }

  [[noreturn]] void fail_read() {
    if (thrown_) std::rethrow_exception(thrown_);
    const char* text = archive_error_string(archive_.get());
    // libarchive 3.6 names a stream that ends early only once it has given something of it.
    fail(ended_ ? "truncated" : "tar",
         fmt::format("it {} its media type says: {}", ended_ ? "ends early, or is not packed as" : "is not packed as",
                     canon::printable(text != nullptr ? text : "unknown", 200)));
  }
  [[noreturn]] void fail(const char* reason, const std::string& what) const {
    throw fault::Error(codes_.code, reason, what, codes_.name);
  }

  const std::function<std::string_view()>& source_;
  Packing packing_;
  Codes codes_;
  std::uint64_t max_bytes_, taken_ = 0, given_ = 0;
  Archive archive_;
  std::exception_ptr thrown_;
  bool ended_ = false;
};

}  // namespace

std::function<std::string_view()> unpacking(const std::function<std::string_view()>& source, Packing packing,
                                            const Codes& codes, std::uint64_t max_bytes) {
  // std::function wants what it holds to be copyable, so the reader is shared.
  const auto reader = std::make_shared<Unpacking>(source, packing, codes, max_bytes);
  return [reader] { return reader->next(); };
}

}  // namespace stella::archive
