// SPDX-License-Identifier: Apache-2.0
#include "mirror/blobs/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

namespace stella::blobs {
namespace {

constexpr std::string_view kLayout = R"({"imageLayoutVersion":"1.0.0"})";

fault::Error damaged(const Blob& blob, const std::string& what) {
  return fault::Error(
      fault::Code::mirror_digest, "blob", fmt::format("blob {} {}", blob.digest.tagged(), what), blob.digest.tagged(),
      "The registry's disk is damaged or was altered; remove the blob and pull the same generation again.");
}

}  // namespace

void Store::make() const {
  files::make_folders(folder_ + "/blobs/sha256");
  files::make_folders(folder_ + "/staging");
  const std::string marker = folder_ + "/oci-layout";
  if (::access(marker.c_str(), F_OK) != 0) files::write_atomically(marker, kLayout, 0644);
}

std::string Store::path_of(const canon::Digest& digest) const {
  return folder_ + "/blobs/sha256/" + digest.hex();
}

bool Store::holds(const Blob& blob) const {
  struct stat info {};
  return ::lstat(path_of(blob.digest).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         static_cast<std::uint64_t>(info.st_size) == blob.size_bytes;
}

std::string Store::read(const Blob& blob, std::uint64_t max_bytes) const {
  if (blob.size_bytes > max_bytes) throw damaged(blob, "is larger than a document of its kind may be");
  std::string bytes;
  stream(blob, [&](std::string_view block) { bytes.append(block); });
  return bytes;
}

void Store::stream(const Blob& blob, const std::function<void(std::string_view)>& take) const {
  if (!holds(blob)) throw damaged(blob, "is missing or has another size");
  const std::string path = path_of(blob.digest);
  const files::InputRule rule{
      .max_bytes = blob.size_bytes, .empty = files::Empty::allow, .links = files::Links::refuse};
  const files::Fd file = files::open_input(path, rule);
  canon::Sha256 hasher;
  files::stream_input(file, path, blob.size_bytes, [&](std::string_view block) {
    hasher.update(block);
    take(block);
  });
  if (hasher.finish() != blob.digest) throw damaged(blob, "holds other bytes than its name says");
}

std::vector<Blob> Store::list() const {
  std::vector<Blob> found;
  for (const files::Entry& entry : files::list_tree(folder_ + "/blobs/sha256")) {
    if (entry.kind != files::Kind::file || entry.path.size() != 64) continue;
    if (entry.path.find_first_not_of("0123456789abcdef") != std::string::npos) continue;
    found.push_back({canon::parse_hex_digest(entry.path, fault::Code::mirror_digest, entry.path), entry.size_bytes});
  }
  return found;
}

void Store::remove(const canon::Digest& digest) const {
  const std::string path = path_of(digest);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw fault::system_error(errno, "removing", path);
}

}  // namespace stella::blobs
