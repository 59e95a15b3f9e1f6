// SPDX-License-Identifier: Apache-2.0
#include "appliance/retention/large.hpp"

#include <filesystem>

#include "bundles/files/write.hpp"

namespace stella::retention {

std::uint64_t size_of_run(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  auto at = std::filesystem::recursive_directory_iterator(
      folder, std::filesystem::directory_options::skip_permission_denied, error);
  for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (at->is_symlink(ignored) || !at->is_regular_file(ignored)) continue;
    const auto size = at->file_size(ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

std::uint64_t size_of_large(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const char* part : {"/work", "/artifacts", "/pack", "/evidence"}) bytes += size_of_run(folder + part);
  return bytes;
}

void remove_large(const std::string& folder) {
  for (const char* part : {"/work", "/artifacts", "/pack", "/evidence"}) files::remove_tree(folder + part);
  // A missing folder would look as if the disk it was on had gone (ERR_ARTIFACT_STORE, reason `gone`).
  for (const char* part : {"/work", "/artifacts"}) files::make_folders(folder + part);
}

}  // namespace stella::retention
