// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/blobs.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/config.hpp"

namespace stella::packfile {
namespace {

constexpr auto kInvalid = fault::Code::pack_invalid;
using Take = std::function<void(const FileEntry&, archive::MemberReader&)>;

// Calls `take` for the files of one layer; the layer must hold exactly the files that the config gives it.
void read_layer(const Opened& pack, std::size_t layer, const Take& take) {
  const std::vector<std::size_t> expected = assign_layers(pack.files).at(layer);
  const std::string name = fmt::format("{} layer {}", pack.name_version(), layer + 1);
  const std::string path = BlobFolder(pack.blobs).path_of(pack.layers.at(layer));
  const files::Fd file = files::open_input(path, {2 * kMaxPackBytes, files::Empty::refuse, files::Links::refuse});
  std::size_t next = 0;
  const auto visit = [&](const archive::Member& member, archive::MemberReader& content) {
    const FileEntry* entry = next < expected.size() ? &pack.files[expected[next]] : nullptr;
    ++next;
    if (entry == nullptr || member.type != archive::Type::file || member.path != entry->path ||
        member.size_bytes != entry->size_bytes || member.mode != entry->mode) {
      throw fault::Error(
          kInvalid, "layer",
          fmt::format("{} is not what the pack's config lists there", canon::printable(member.path, 200)), name);
    }
    take(*entry, content);
  };
  archive::read_tar(archive::file_source(file, path), {kInvalid, name}, {kMaxPackBytes, pack.files.size() + 1}, visit);
  if (next != expected.size())
    throw fault::Error(kInvalid, "layer", "files that the pack's config lists are missing", name);
}

// Passes the content on and compares its digest at the end.
void copy_verified(const FileEntry& entry, archive::MemberReader& content,
                   const std::function<void(std::string_view)>& out) {
  canon::Sha256 hash;
  for (auto piece = content.next(); !piece.empty(); piece = content.next()) {
    hash.update(piece);
    out(piece);
  }
  if (hash.finish() != entry.digest) {
    throw fault::Error(fault::Code::pack_signature, "digest",
                       fmt::format("the bytes of {} are not those that were signed", entry.path), entry.path);
  }
}

std::size_t layer_of(const Opened& pack, std::size_t file) {
  const auto layers = assign_layers(pack.files);
  const auto holds = [&](const auto& layer) { return std::find(layer.begin(), layer.end(), file) != layer.end(); };
  return static_cast<std::size_t>(std::find_if(layers.begin(), layers.end(), holds) - layers.begin());
}

// The umask must not decide what a step can read: modes are set, not asked for.
void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) {
    throw fault::system_error(errno, "making the folder", path);
  }
}

void make_parents(const Opened& pack, const std::string& folder) {
  std::set<std::string> parents;
  for (const FileEntry& entry : pack.files) {
    for (std::size_t slash = entry.path.find('/'); slash != std::string::npos;
         slash = entry.path.find('/', slash + 1)) {
      parents.insert(entry.path.substr(0, slash));
    }
  }
  for (const std::string& parent : parents) make_folder(folder + "/" + parent);
}

}  // namespace

std::string read_file(const Opened& pack, const std::string& path, std::uint64_t max_bytes) {
  const auto found = std::find_if(pack.files.begin(), pack.files.end(), [&](const auto& e) { return e.path == path; });
  const std::string shown = canon::printable(path, 200);
  if (found == pack.files.end()) {
    throw fault::Error(kInvalid, "file", fmt::format("the pack has no {}", shown), pack.name_version());
  }
  if (found->size_bytes > max_bytes) {
    throw fault::Error(kInvalid, "size", fmt::format("{} has more than {} bytes", shown, max_bytes),
                       pack.name_version());
  }
  std::string bytes;
  const auto take = [&](const FileEntry& entry, archive::MemberReader& content) {
    if (entry.path == path) copy_verified(entry, content, [&](std::string_view piece) { bytes.append(piece); });
  };
  read_layer(pack, layer_of(pack, static_cast<std::size_t>(found - pack.files.begin())), take);
  return bytes;
}

// Our layers are ustar without extensions: a header of 512 bytes, then the content, filled up to a whole block. In a
// layer that others wrote the place may be wrong, and the reader's digest says so.
std::optional<Place> find_place(const Opened& pack, const std::string& path) {
  constexpr std::uint64_t kBlock = 512;
  const auto layers = assign_layers(pack.files);
  for (std::size_t layer = 0; layer < layers.size() && layer < pack.layers.size(); ++layer) {
    std::uint64_t offset = kBlock;
    for (const std::size_t index : layers[layer]) {
      const FileEntry& entry = pack.files[index];
      if (entry.path == path)
        return Place{BlobFolder(pack.blobs).path_of(pack.layers[layer]), offset, entry.size_bytes};
      offset += kBlock + (entry.size_bytes + kBlock - 1) / kBlock * kBlock;
    }
  }
  return std::nullopt;
}

void unpack(const Opened& pack, const std::string& folder) {
  make_folder(folder);
  make_parents(pack, folder);
  const files::Fd root = files::open_folder(folder);
  const auto take = [&](const FileEntry& entry, archive::MemberReader& content) {
    const files::Fd file = files::open_beneath(root, entry.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    copy_verified(entry, content, [&](std::string_view piece) { files::write_all(file.get(), piece, entry.path); });
    if (::fchmod(file.get(), entry.mode) != 0) throw fault::system_error(errno, "setting the mode of", entry.path);
  };
  for (std::size_t layer = 0; layer < pack.layers.size(); ++layer) read_layer(pack, layer, take);
}

}  // namespace stella::packfile
