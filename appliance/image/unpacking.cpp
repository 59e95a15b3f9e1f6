// SPDX-License-Identifier: Apache-2.0
#include "appliance/image/unpacking.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/files/fd.hpp"
#include "bundles/files/write.hpp"

namespace stella::image {
namespace {

using fault::Code;
using fault::Error;

struct Stored : Content {
  std::string name;  // where it lies now, beneath the folder that is unpacked to
};

class Unpacker {
 public:
  Unpacker(const Found& found, const std::string& folder)
      : found_(found), folder_(files::open_folder(folder)), tree_(found.shown) {
    make_folder("contents");
    make_folder("rootfs");
  }

  Unpacked run() {
    std::size_t left_out = 0;
    for (std::size_t i = 0; i < found_.layers.size(); ++i) left_out += take_layer(i);
    for (const auto& [path, node] : tree_.nodes()) write_out("rootfs/" + path, node);
    drop_contents();
    const std::vector<Content> contents(contents_.begin(), contents_.end());
    return {write_listing(tree_, contents), left_out};
  }

 private:
  std::size_t take_layer(std::size_t number) {
    const Layer& layer = found_.manifest.layers[number];
    const std::string at = fmt::format("{}: layer {}", found_.shown, number + 1);
    const auto blob = source_of(found_.layers[number]);
    canon::Sha256 hash;
    const auto source = [&] {
      const std::string_view bytes = blob();
      hash.update(bytes);
      return bytes;
    };
    const Applied applied = apply_layer(
        tree_, source, layer.packing, {kMaxUnpacked - bytes_, kMaxEntries - entries_}, at,
        [&](const archive::LayerEntry& entry, archive::MemberReader& content) { return store(entry, content, at); });
    while (!source().empty()) continue;  // the digest is over all there is
    require(hash.finish() == layer.digest, "the bytes of the layer are not its digest's", at);
    require(applied.diff_id == found_.config.diff_ids[number], "unpacked it is not what the config says (diff_id)", at);
    return applied.left_out;
  }

  std::size_t store(const archive::LayerEntry& entry, archive::MemberReader& content, const std::string& at) {
    Stored stored;
    stored.name = fmt::format("contents/{}", contents_.size());
    stored.mode = (entry.mode & 0111U) != 0 ? 0755 : 0644;
    const files::Fd file(::openat(folder_.get(), stored.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) throw fault::system_error(errno, "unpacking", stored.name);
    canon::Sha256 hash;
    for (auto piece = content.next(); !piece.empty(); piece = content.next()) {
      hash.update(piece);
      files::write_all(file.get(), piece, entry.path);
      stored.size_bytes += piece.size();
    }
    stored.digest = hash.finish();
    bytes_ += stored.size_bytes;
    if (++entries_ >= kMaxEntries || bytes_ >= kMaxUnpacked)
      throw Error(Code::pack_invalid, "size", "the image has more than 8 GiB or 500,000 files", at);
    const timespec time{entry.modified, 0};
    const std::array<timespec, 2> times{time, time};
    if (::fchmod(file.get(), stored.mode) != 0 || ::futimens(file.get(), times.data()) != 0)
      throw fault::system_error(errno, "unpacking", entry.path);
    contents_.push_back(std::move(stored));
    return contents_.size() - 1;
  }

  // The parent is a folder that was made here, for it stands before its children in the tree.
  void write_out(const std::string& path, const Node& node) {
    if (node.kind == Kind::folder) return make_folder(path);
    if (node.kind == Kind::link) {
      if (::symlinkat(node.target.c_str(), folder_.get(), path.c_str()) != 0)
        throw fault::system_error(errno, "unpacking", path);
      return;
    }
    Stored& stored = contents_.at(node.content);
    if (::linkat(folder_.get(), stored.name.c_str(), folder_.get(), path.c_str(), 0) != 0)
      throw fault::system_error(errno, "unpacking", path);
  }

  void make_folder(const std::string& path) const {
    if (::mkdirat(folder_.get(), path.c_str(), 0755) != 0 || ::fchmodat(folder_.get(), path.c_str(), 0755, 0) != 0)
      throw fault::system_error(errno, "unpacking", path);
  }

  // What a later layer took away goes with the names; what is in the tree has its own name there.
  void drop_contents() const {
    for (const Stored& stored : contents_)
      if (::unlinkat(folder_.get(), stored.name.c_str(), 0) != 0)
        throw fault::system_error(errno, "unpacking", stored.name);
    if (::unlinkat(folder_.get(), "contents", AT_REMOVEDIR) != 0)
      throw fault::system_error(errno, "unpacking", "contents");
  }

  static void require(bool holds, const std::string& what, const std::string& at) {
    if (!holds)
      throw Error(Code::pack_hash_mismatch, "image", what, at, "Copy the image into the pack again and build it anew.");
  }

  const Found& found_;
  files::Fd folder_;
  Tree tree_;
  std::vector<Stored> contents_;
  std::uint64_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace

Applied apply_layer(Tree& tree, const std::function<std::string_view()>& source, archive::Packing packing,
                    archive::LayerLimits limits, const std::string& at, const Keep& keep) {
  tree.begin_layer();
  Applied applied;
  const auto visit = [&](const archive::LayerEntry& entry, archive::MemberReader& content) {
    if (!entry.path.empty() && tree.whiteout(entry.path)) return;
    switch (entry.kind) {
      case archive::LayerKind::folder:
        return tree.folder(entry.path);
      case archive::LayerKind::file:
        return tree.file(entry.path, keep(entry, content));
      case archive::LayerKind::symbolic_link:
        return tree.link(entry.path, entry.target);
      case archive::LayerKind::hard_link:
        return tree.hard_link(entry.path, entry.target);
      case archive::LayerKind::other:
        ++applied.left_out;
    }
  };
  applied.diff_id = archive::read_layer(source, packing, {Code::pack_invalid, at}, limits, visit);
  return applied;
}

Unpacked unpack(const Found& found, const std::string& folder) {
  return Unpacker(found, folder).run();
}

}  // namespace stella::image
