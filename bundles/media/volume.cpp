// SPDX-License-Identifier: Apache-2.0
#include "bundles/media/volume.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"

namespace stella::media {
namespace {

using fault::Code;
using fault::Error;

constexpr unsigned kLoopMajor = 7;  // Documentation/admin-guide/devices.txt

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  if (!resolved) throw fault::system_error(errno, "opening the medium", path);
  return resolved.get();
}

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The last mount of this device that is a prefix of `path`.
void find_mount(Volume& volume, dev_t device) {
  std::ifstream mounts("/proc/self/mountinfo");
  const std::string wanted = fmt::format("{}:{}", major(device), minor(device));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string id, parent, numbers, root, point, word;
    words >> id >> parent >> numbers >> root >> point;
    point = unescaped(point);
    const bool holds = volume.path == point || point == "/" || volume.path.starts_with(point + "/");
    if (numbers != wanted || !holds || point.size() < volume.mount_point.size()) continue;
    volume.mount_point = point;
    while (words >> word && word != "-") {
    }
    words >> volume.file_system >> volume.device;
  }
}

bool is_removable(dev_t device) {
  if (major(device) == kLoopMajor) return true;
  const std::string base = fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
  for (const std::string& place : {base + "/removable", base + "/../removable"}) {
    std::ifstream file(place);
    char flag = '0';
    if (file >> flag && flag == '1') return true;
  }
  // A USB disk in a case says it is not removable, but it is what people carry.
  const std::unique_ptr<char, decltype(&std::free)> link(::realpath(base.c_str(), nullptr), &std::free);
  return link && std::string_view(link.get()).find("/usb") != std::string_view::npos;
}

}  // namespace

Volume open_volume(const std::string& path, Fixed fixed) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw fault::system_error(errno, "opening the medium", path);
  if (!S_ISDIR(info.st_mode))
    throw Error(Code::media_unsuitable, "folder", fmt::format("{} is not a folder", path), path);
  Volume volume;
  volume.path = real_path(path);
  find_mount(volume, info.st_dev);
  volume.removable = is_removable(info.st_dev);
  if (fixed == Fixed::refuse && volume.mount_point != volume.path) {
    throw Error(Code::media_unsuitable, "not-a-mount", fmt::format("{} is not a mount point", path), path,
                "Mount the medium and give its mount point, or say --allow-fixed for a plain folder.");
  }
  if (fixed == Fixed::refuse && !volume.removable) {
    throw Error(Code::media_unsuitable, "fixed",
                fmt::format("{} is on {}, which is not removable", path,
                            volume.device.empty() ? "a fixed disk" : volume.device),
                path);
  }
  struct statvfs space {};
  if (::statvfs(volume.path.c_str(), &space) != 0) throw fault::system_error(errno, "looking at the medium", path);
  if ((space.f_flag & ST_RDONLY) != 0) {
    throw Error(Code::media_unsuitable, "read-only", fmt::format("{} is mounted read-only", path), path,
                "Release the write protection and mount it again.");
  }
  volume.free_bytes = files::free_bytes(volume.path);
  return volume;
}

}  // namespace stella::media
