// SPDX-License-Identifier: Apache-2.0
// What the layers of an image add up to: a map of paths in memory, on which whiteouts and links are worked out before
// anything of the image has a name on the disk. Every parent of a node is a folder of the map, so writing it out in
// order follows no link. One thread. Source: OCI image-spec 1.1 layer.md, "Applying Changesets" and "Whiteouts".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bundles/archive/layer.hpp"

namespace stella::image {

enum class Kind { folder, file, link };

struct Node {
  Kind kind = Kind::folder;
  int layer = 0;            // that said it last
  std::size_t content = 0;  // file: its number; hard links share one
  std::string target;       // link
};

class Tree {
 public:
  // Errors are ERR_PACK_INVALID at `at`, reasons path, link, size.
  explicit Tree(std::string at) : at_(std::move(at)) {}
  void begin_layer() { ++layer_; }
  void folder(const std::string& path);
  void file(const std::string& path, std::size_t content);
  // Links may point anywhere in the image, absolute ones too; one that climbs out of it is refused.
  void link(const std::string& path, const std::string& target);
  void hard_link(const std::string& path, const std::string& existing);
  // `.wh.NAME` and `.wh..wh..opq`: true when the path was one (then what they name in the layers below is gone).
  bool whiteout(const std::string& path);
  // By path, bytewise: each folder before what is in it.
  [[nodiscard]] const std::map<std::string, Node>& nodes() const noexcept { return nodes_; }

 private:
  enum class Missing { make, leave };
  [[nodiscard]] std::optional<std::string> real(const std::string& path, Missing missing);
  std::optional<std::string> real_folder(std::string_view folder, Missing missing, const std::string& shown);
  void put(const std::string& path, Node node);
  void remove(const std::string& path);        // with all beneath
  void remove_older(const std::string& path);  // what this layer did not say, in the folder
  [[noreturn]] void fail(const char* reason, const std::string& what) const;

  std::map<std::string, Node> nodes_;
  std::uint64_t name_bytes_ = 0, looked_at_ = 0;
  int layer_ = 0;
  std::string at_;
};

}  // namespace stella::image
