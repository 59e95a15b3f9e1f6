// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/folder.hpp"

#include <memory>

#include "bundles/files/fd.hpp"
#include "bundles/files/read.hpp"

namespace stella::pack {

FileReader reader_of_folder(const std::string& folder) {
  // std::function wants what it holds to be copyable, so the descriptor is shared.
  const auto root = std::make_shared<files::Fd>(files::open_folder(folder));
  return [root](const std::string& path) -> std::optional<std::string> {
    try {
      return files::read_input_beneath(*root, path, {.max_bytes = kMaxManifest, .empty = files::Empty::allow});
    } catch (const fault::Error& error) {
      if (error.code() == fault::Code::file_not_found) return std::nullopt;
      throw;
    }
  };
}

Reading read_folder(const std::string& folder) {
  const files::Fd root = files::open_folder(folder);
  Reading reading =
      read_manifest(files::read_input_beneath(root, "pack.yaml", {.max_bytes = kMaxManifest}), "pack.yaml");
  for (Problem& problem : check_files(reading.manifest, reader_of_folder(folder)))
    reading.problems.push_back(std::move(problem));
  return reading;
}

}  // namespace stella::pack
