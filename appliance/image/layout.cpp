// SPDX-License-Identifier: Apache-2.0
#include "appliance/image/layout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "bundles/files/fd.hpp"
#include "mirror/blobs/store.hpp"

namespace stella::image {
namespace {

constexpr auto kInvalid = fault::Code::pack_invalid;
constexpr std::string_view kBlobs = "blobs/sha256/";
constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kMaxMembers = 10000;

using FindFile = std::function<std::optional<Extent>(const std::string& path)>;

std::string blob_path(const canon::Digest& digest) {
  return std::string(kBlobs) + digest.hex();
}

Layout folder_layout(const FindFile& find, const std::string& folder) {
  return {folder, [=](const canon::Digest& digest) { return find(folder + "/" + blob_path(digest)); },
          [=] { return find(folder + "/index.json"); }};
}

// The tar is walked once, when something is asked of it for the first time.
class TarIndex {
 public:
  TarIndex(Extent tar, std::string shown) : tar_(std::move(tar)), shown_(std::move(shown)) {}
  std::optional<Extent> find(const std::string& path) {
    if (!is_read_) read();
    const auto found = members_.find(path);
    return found == members_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void read() {
    std::map<std::string, Extent> members;
    const auto visit = [&](const archive::Member& member, archive::MemberReader&) {
      if (member.type == archive::Type::file)
        members[member.path] = {tar_.blob, tar_.offset + member.offset, member.size_bytes};
    };
    archive::read_tar(source_of(tar_), {kInvalid, shown_}, {tar_.size_bytes, kMaxMembers}, visit);
    members_ = std::move(members);
    is_read_ = true;
  }

  Extent tar_;
  std::string shown_;
  bool is_read_ = false;
  std::map<std::string, Extent> members_;
};

std::vector<Layout> layouts(const FindFile& find, const std::string& name) {
  std::vector<Layout> found;
  const std::string folder = "images/" + name, tar = folder + ".tar";
  if (find(folder + "/oci-layout")) found.push_back(folder_layout(find, folder));
  if (const auto extent = find(tar)) {
    const auto index = std::make_shared<TarIndex>(*extent, tar);
    found.push_back({tar, [=](const canon::Digest& digest) { return index->find(blob_path(digest)); },
                     [=] { return index->find("index.json"); }});
  }
  return found;
}

std::optional<Extent> find_on_disk(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return Extent{path, 0, static_cast<std::uint64_t>(info.st_size)};
}

}  // namespace

std::vector<Layout> layouts_in_pack(const packfile::Opened& pack, const std::string& name) {
  return layouts([&pack](const std::string& path) { return packfile::find_place(pack, path); }, name);
}

std::vector<Layout> layouts_in_folder(const std::string& folder, const std::string& name) {
  return layouts([folder](const std::string& path) { return find_on_disk(folder + "/" + path); }, name);
}

Layout layout_of_registry(const files::Home& home) {
  const blobs::Store store(home.mirror());
  return {"the registry", [store](const canon::Digest& digest) { return find_on_disk(store.path_of(digest)); },
          [] { return std::optional<Extent>(); }};
}

std::function<std::string_view()> source_of(const Extent& extent) {
  struct Reading {
    files::Fd file;
    std::uint64_t at, left;
    std::vector<char> buffer = std::vector<char>(kBlock);
  };
  const auto reading = std::make_shared<Reading>();
  reading->file = files::Fd(::open(extent.blob.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!reading->file) throw fault::system_error(errno, "opening", extent.blob);
  reading->at = extent.offset;
  reading->left = extent.size_bytes;
  return [reading, path = extent.blob]() -> std::string_view {
    for (;;) {
      const std::size_t wanted = std::min<std::uint64_t>(kBlock, reading->left);
      const ssize_t got = ::pread(reading->file.get(), reading->buffer.data(), wanted, static_cast<off_t>(reading->at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw fault::system_error(errno, "reading", path);
      reading->at += static_cast<std::uint64_t>(got);
      reading->left -= static_cast<std::uint64_t>(got);
      return {reading->buffer.data(), static_cast<std::size_t>(got)};
    }
  };
}

std::string read_document(const Extent& extent, const canon::Digest& digest, const std::string& at) {
  if (extent.size_bytes > kMaxDocument)
    throw fault::Error(kInvalid, "size", "the document has more than 4 MiB", at,
                       "Pin the digest of an image manifest.");
  std::string bytes;
  const auto source = source_of(extent);
  for (auto piece = source(); !piece.empty(); piece = source()) bytes.append(piece);
  if (canon::sha256(bytes) != digest)
    throw fault::Error(fault::Code::pack_hash_mismatch, "image",
                       fmt::format("the bytes of {} are not its own", digest.tagged()), at,
                       "Build the pack again from an image that is whole.");
  return bytes;
}

}  // namespace stella::image
