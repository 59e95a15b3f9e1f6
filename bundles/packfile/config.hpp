// SPDX-License-Identifier: Apache-2.0
// The canonical manifest of a pack: the OCI config blob whose SHA-256 is the pack digest. Any thread.
//
// Shape: {"schema": "stella.pack.config.v1", "name", "version", "files": [{"path", "mode": "0644"|"0755", "size",
// "sha256": 64 hex}...] sorted by path, "layers": ["sha256:..."]}. RFC 8785 bytes, at most 4 MiB.
// Which file lies in which layer follows from the sizes: files up to 1 MiB together in the first layer, then one layer
// for each larger file, in the order of their paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/packfile/bundle.hpp"

namespace stella::packfile {

struct Config {
  std::string name, version;
  std::vector<FileEntry> files;
  std::vector<canon::Digest> layers;
};

// Indexes into `files`, one list for each layer.
[[nodiscard]] std::vector<std::vector<std::size_t>> assign_layers(const std::vector<FileEntry>& files);
[[nodiscard]] std::string write_config(const Config& config);
// Throws ERR_PACK_INVALID: json, config, path, duplicate, collision, size, layer; not RFC 8785 bytes: reason config.
[[nodiscard]] Config parse_config(std::string_view bytes, const std::string& at);
// Throws ERR_PACK_INVALID, reason `name`, unless both can stand in a file name and an OCI tag.
void check_name_version(const std::string& name, const std::string& version, const std::string& at);

}  // namespace stella::packfile
