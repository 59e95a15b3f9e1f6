// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "mirror/blobs/store.hpp"

namespace stella::blobs {
namespace {

constexpr std::uint64_t kBatchBytes = std::uint64_t{64} << 20;
constexpr std::size_t kBatchBlobs = 256;
constexpr std::uint64_t kReserveFrom = std::uint64_t{1} << 20;  // files above this get their room at once

fault::Error wrong_bytes(const Blob& blob, const std::string& what) {
  return fault::Error(fault::Code::mirror_digest, "blob", fmt::format("blob {} {}", blob.digest.tagged(), what),
                      blob.digest.tagged());
}

bool is_part(const files::Entry& entry) {
  return entry.kind == files::Kind::file && entry.path.size() == 64 &&
         entry.path.find_first_not_of("0123456789abcdef") == std::string::npos;
}

canon::Digest hash_file(const std::string& path, std::uint64_t size) {
  const files::InputRule rule{.max_bytes = size, .empty = files::Empty::allow, .links = files::Links::refuse};
  const files::Fd file = files::open_input(path, rule);
  canon::Sha256 hasher;
  files::stream_input(file, path, size, [&](std::string_view block) { hasher.update(block); });
  return hasher.finish();
}

}  // namespace

Batch::Batch(const Store& store) : store_(store) {
  store_.make();
  folder_ = files::open_folder(store_.folder());
  adopt();
}

// A batch that ends early, by an error as by a crash, leaves its whole parts in staging: the next one adopts them.
Batch::~Batch() = default;

std::string Batch::part_of(const canon::Digest& digest) const {
  return store_.folder() + "/staging/" + digest.hex();
}

// Whole parts of an interrupted batch are hashed again here, on our own disk, so that the medium need not be read
// again; half ones go.
void Batch::adopt() {
  for (const files::Entry& entry : files::list_tree(store_.folder() + "/staging")) {
    const std::string path = store_.folder() + "/staging/" + entry.path;
    if (is_part(entry) && hash_file(path, entry.size_bytes).hex() == entry.path) {
      pending_.push_back(canon::parse_hex_digest(entry.path, fault::Code::mirror_digest, path));
      ++adopted_;
    } else {
      files::remove_tree(path);
    }
  }
  commit();
}

void Batch::begin(const Blob& blob) {
  current_ = blob;
  written_ = 0;
  hasher_ = canon::Sha256();
  const std::string path = part_of(blob.digest);
  part_ = files::Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!part_) throw fault::system_error(errno, "writing", path);
  if (blob.size_bytes < kReserveFrom) return;
  // Early word of a full disk; file systems without it (vfat, some FUSE) answer EOPNOTSUPP and are filled as it goes.
  const int result = ::posix_fallocate(part_.get(), 0, static_cast<off_t>(blob.size_bytes));
  if (result == ENOSPC || result == EDQUOT || result == EFBIG) throw fault::system_error(ENOSPC, "writing", path);
}

void Batch::write(std::string_view bytes) {
  if (bytes.size() > current_.size_bytes - written_) throw wrong_bytes(current_, "is longer than was signed");
  hasher_.update(bytes);
  files::write_all(part_.get(), bytes, part_of(current_.digest));
  written_ += bytes.size();
}

void Batch::finish() {
  const std::string path = part_of(current_.digest);
  const bool good = written_ == current_.size_bytes && hasher_.finish() == current_.digest;
  if (good && ::fchmod(part_.get(), 0444) != 0) throw fault::system_error(errno, "setting the mode of", path);
  part_.reset();
  if (!good) {
    files::remove_tree(path);
    throw wrong_bytes(current_, "has other bytes than were signed");
  }
  files::crash_point("blobs.finished");
  pending_.push_back(current_.digest);
  pending_bytes_ += current_.size_bytes;
  if (pending_bytes_ >= kBatchBytes || pending_.size() >= kBatchBlobs) commit();
}

void Batch::sync() const {
  if (::syncfs(folder_.get()) != 0) throw fault::system_error(errno, "syncing", store_.folder());
}

void Batch::commit() {
  if (pending_.empty()) return;
  sync();
  files::crash_point("blobs.synced");
  for (const canon::Digest& digest : pending_) {
    const std::string from = part_of(digest), to = store_.path_of(digest);
    if (::rename(from.c_str(), to.c_str()) != 0) throw fault::system_error(errno, "storing", to);
    files::crash_point("blobs.renamed");
  }
  sync();
  pending_.clear();
  pending_bytes_ = 0;
}

}  // namespace stella::blobs
