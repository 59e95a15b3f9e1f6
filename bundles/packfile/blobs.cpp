// SPDX-License-Identifier: Apache-2.0
#include "bundles/packfile/blobs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/bundle.hpp"

namespace stella::packfile {
namespace {

[[noreturn]] void refuse_digest(const std::string& shown, const canon::Digest& expected) {
  throw fault::Error(fault::Code::pack_signature, "digest",
                     fmt::format("the bytes of {} are not those of its digest {}", shown, expected.tagged()), shown,
                     "Copy the pack again from where it came from: its bytes were changed on the way.");
}

}  // namespace

BlobFolder::BlobFolder(std::string path) : path_(std::move(path)) {
  files::make_folders(path_, 0700);
}

BlobFolder::Writer::Writer(const BlobFolder& folder, std::string shown)
    : folder_(folder), shown_(std::move(shown)), temporary_(folder.path_ + "/.part-" + canon::random_hex(8)) {
  fd_ = files::Fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) throw fault::system_error(errno, "writing", temporary_);
}

BlobFolder::Writer::~Writer() {
  if (fd_) ::unlink(temporary_.c_str());
}

void BlobFolder::Writer::write(std::string_view bytes) {
  hash_.update(bytes);
  size_bytes_ += bytes.size();
  files::write_all(fd_.get(), bytes, temporary_);
}

// Not flushed to the disk: whoever reads a blob hashes it again.
Descriptor BlobFolder::Writer::finish(std::string_view media_type, const canon::Digest* expected) {
  const Descriptor blob{std::string(media_type), hash_.finish(), size_bytes_};
  if (expected != nullptr && blob.digest != *expected) refuse_digest(shown_, *expected);
  const std::string path = folder_.path_of(blob.digest);
  if (::rename(temporary_.c_str(), path.c_str()) != 0) throw fault::system_error(errno, "naming", path);
  fd_.reset();
  return blob;
}

Descriptor BlobFolder::put(std::string_view bytes, std::string_view media_type) const {
  Writer writer = begin("blob");
  writer.write(bytes);
  return writer.finish(media_type);
}

bool BlobFolder::has(const canon::Digest& digest) const {
  struct stat info {};
  return ::lstat(path_of(digest).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

void BlobFolder::stream(const Descriptor& blob, const std::function<void(std::string_view)>& take) const {
  const std::string path = path_of(blob.digest);
  const files::Fd file = files::open_input(path, {kMaxPackBytes, files::Empty::allow, files::Links::refuse});
  if (files::size_of(file) != blob.size_bytes) refuse_digest(path, blob.digest);
  canon::Sha256 hash;
  files::stream_input(file, path, blob.size_bytes, [&](std::string_view bytes) {
    hash.update(bytes);
    take(bytes);
  });
  if (hash.finish() != blob.digest) refuse_digest(path, blob.digest);
}

std::string BlobFolder::read(const Descriptor& blob, std::uint64_t max_bytes, const std::string& shown) const {
  if (blob.size_bytes > max_bytes) {
    throw fault::Error(fault::Code::pack_invalid, "size", fmt::format("{} has more than {} bytes", shown, max_bytes),
                       shown);
  }
  if (!has(blob.digest)) {
    throw fault::Error(fault::Code::pack_invalid, "oci",
                       fmt::format("{} ({}) is not in the pack", shown, blob.digest.tagged()), shown);
  }
  std::string bytes;
  stream(blob, [&](std::string_view piece) { bytes.append(piece); });
  return bytes;
}

TemporaryFolder::TemporaryFolder(const std::string& parent) : path_(parent + "/.stella-pack-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw fault::system_error(errno, "making a folder in", parent);
}

TemporaryFolder::~TemporaryFolder() {
  try {
    files::remove_tree(path_);
  } catch (const fault::Error&) {
    // Left behind is a private folder without a name that anything reads; the first error is the one to tell.
  }
}

}  // namespace stella::packfile
