// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/image_view.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "appliance/sandbox/mount_calls.hpp"
#include "appliance/sandbox/report.hpp"
#include "bundles/fault/error.hpp"

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostEntries = 2000;
// Made by the runner, whatever the image has there.
constexpr std::array kOurs = {"dev", "proc", "sys", "run", "tmp", "pack", "inputs", "work", "artifacts", "etc", "home"};
constexpr const char* kAside = ".image";

bool is_ours(const std::string& path, const std::vector<TextFile>& etc) {
  return std::find(kOurs.begin(), kOurs.end(), std::string_view(path)) != kOurs.end() || path == "home/step" ||
         path == kAside || std::any_of(etc.begin(), etc.end(), [&](const TextFile& file) { return file.path == path; });
}

void add_entries(const std::string& image_root, const std::string& folder, const std::vector<TextFile>& etc,
                 std::vector<ImageEntry>& entries) {
  const std::filesystem::path place = image_root + "/" + folder;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(place))) return;
  for (const auto& found : std::filesystem::directory_iterator(place)) {
    ImageEntry entry{folder + found.path().filename().string(), {}};
    if (is_ours(entry.path, etc)) continue;
    if (found.is_symlink()) entry.target = std::filesystem::read_symlink(found.path()).string();
    entries.push_back(std::move(entry));
    if (entries.size() > kMostEntries)
      throw fault::Error(fault::Code::pack_invalid, "image", "the image has more than 2,000 entries in / and /etc",
                         "runtime", "Use an image with fewer entries there.");
  }
}

}  // namespace

std::vector<ImageEntry> image_entries(const std::string& image_root, const std::vector<TextFile>& etc) {
  std::vector<ImageEntry> entries;
  try {
    for (const char* folder : {"", "etc/", "home/"}) add_entries(image_root, folder, etc, entries);
  } catch (const std::filesystem::filesystem_error& error) {
    throw fault::system_error(error.code().value(), "reading the image", image_root);
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

void place_image(int root, int image, const Blueprint& blueprint, int socket) noexcept {
  // Parts of a mount can be bound only while it is attached somewhere.
  need(mkdirat(root, kAside, 0700) == 0 && attach(image, root, kAside), socket, Stage::root);
  for (const ImageEntry& entry : blueprint.image) {
    const char* path = entry.path.c_str();
    if (!entry.target.empty()) {
      need(symlinkat(entry.target.c_str(), root, path) == 0, socket, Stage::root);
      continue;
    }
    const int mount = clone_mount(image, path, kReadOnly);
    need(mount >= 0, socket, Stage::root);
    struct stat kind {};
    need(fstat(mount, &kind) == 0, socket, Stage::root);
    const int made = S_ISDIR(kind.st_mode) ? mkdirat(root, path, 0755) : mknodat(root, path, S_IFREG | 0644, 0);
    need((made == 0 || errno == EEXIST) && attach(mount, root, path), socket, Stage::root);
    close(mount);
  }
  need(fchdir(root) == 0 && umount2(kAside, MNT_DETACH) == 0 && unlinkat(root, kAside, AT_REMOVEDIR) == 0, socket,
       Stage::root);
  close(image);
}

}  // namespace stella::sandbox
