// SPDX-License-Identifier: Apache-2.0
#include "appliance/image/listing.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"

namespace stella::image {
namespace {

constexpr std::string_view kHead = "stella.image-tree.v1\n";

std::string file_line(unsigned mode, std::uint64_t size, const canon::Digest& digest, std::string_view path) {
  return fmt::format("file\t{:04o}\t{}\t{}\t{}\n", mode, size, digest.hex(), path);
}

// The line that the entry should have; links are not followed, other kinds have none.
std::string line_of(const files::Entry& entry, const files::Fd& root) {
  switch (entry.kind) {
    case files::Kind::folder:
      return fmt::format("folder\t{}{}\n", entry.mode == 0755 ? "" : "?", entry.path);
    case files::Kind::link:
      return fmt::format("link\t{}\t{}\n", entry.link_target, entry.path);
    case files::Kind::file: {
      canon::Sha256 hash;
      const files::Fd file = files::open_beneath(root, entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
      files::stream_input(file, entry.path, std::uint64_t{1} << 40,
                          [&](std::string_view bytes) { hash.update(bytes); });
      return file_line(entry.mode, entry.size_bytes, hash.finish(), entry.path);
    }
    case files::Kind::other:
      break;
  }
  return {};
}

}  // namespace

std::string write_listing(const Tree& tree, const std::vector<Content>& contents) {
  std::string text(kHead);
  for (const auto& [path, node] : tree.nodes()) {
    if (node.kind == Kind::folder) text += fmt::format("folder\t{}\n", path);
    if (node.kind == Kind::link) text += fmt::format("link\t{}\t{}\n", node.target, path);
    if (node.kind != Kind::file) continue;
    const Content& content = contents.at(node.content);
    text += file_line(content.mode, content.size_bytes, content.digest, path);
  }
  return text;
}

void require_listed(const std::string& root, std::string_view listing, const std::string& fix) {
  const auto fail = [&](const std::string& what) {
    throw fault::Error(fault::Code::pack_hash_mismatch, "image", "the unpacked image was changed: " + what, root, fix);
  };
  if (!listing.starts_with(kHead)) fail("its listing is damaged");
  listing.remove_prefix(kHead.size());
  const files::Fd folder = files::open_folder(root);
  for (const files::Entry& entry : files::list_tree(root)) {
    const std::string line = line_of(entry, folder);
    if (line.empty() || !listing.starts_with(line))
      fail(canon::printable(entry.path, 200) + " is not what was unpacked, or something before it is missing");
    listing.remove_prefix(line.size());
  }
  if (!listing.empty()) fail("entries at its end are missing");
}

}  // namespace stella::image
