// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "bundles/fault/error.hpp"

namespace stella::files {
namespace {

constexpr int kMaxDepth = 200;

class Walk {
 public:
  Walk(std::string root, std::size_t max_entries, bool is_hostile)
      : root_(std::move(root)), max_entries_(max_entries), is_hostile_(is_hostile) {}

  void folder(Fd opened, const std::string& relative, int depth) {
    if (depth > kMaxDepth) return leave_out("depth", "folders are nested too deep", relative);
    DIR* listing = ::fdopendir(opened.get());
    if (listing == nullptr) throw fault::system_error(errno, "listing", root_ + "/" + relative);
    opened.release();
    const Handle<DIR, closedir> owner(listing);
    while (const dirent* found = is_full_ ? nullptr : ::readdir(listing)) {
      const std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      entry(::dirfd(listing), name, relative.empty() ? name : relative + "/" + name, depth);
    }
  }

  std::vector<Entry> take() {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return std::move(entries_);
  }

  std::vector<std::string> take_unlisted() { return std::move(unlisted_); }

 private:
  void entry(int folder_fd, const std::string& name, const std::string& relative, int depth) {
    struct stat info {};
    if (::fstatat(folder_fd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      throw fault::system_error(errno, "looking at", root_ + "/" + relative);
    }
    if (entries_.size() >= max_entries_) {
      is_full_ = true;
      return leave_out("entries", fmt::format("more than {} entries", max_entries_), relative);
    }
    Entry result{relative, Kind::other, info.st_mode & 07777U, 0, {}};
    if (S_ISREG(info.st_mode)) {
      result.kind = Kind::file;
      result.size_bytes = static_cast<std::uint64_t>(info.st_size);
    } else if (S_ISDIR(info.st_mode)) {
      result.kind = Kind::folder;
    } else if (S_ISLNK(info.st_mode)) {
      result.kind = Kind::link;
      std::array<char, PATH_MAX> target{};
      const ssize_t size = ::readlinkat(folder_fd, name.c_str(), target.data(), target.size());
      if (size < 0) throw fault::system_error(errno, "reading the link", root_ + "/" + relative);
      result.link_target.assign(target.data(), static_cast<std::size_t>(size));
    }
    entries_.push_back(result);
    if (result.kind != Kind::folder) return;
    Fd inner(::openat(folder_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner && is_hostile_) return unlisted_.push_back(relative);
    if (!inner) throw fault::system_error(errno, "opening folder", root_ + "/" + relative);
    folder(std::move(inner), relative, depth + 1);
  }

  void leave_out(std::string_view reason, const std::string& what, const std::string& relative) {
    if (is_hostile_) return unlisted_.push_back(relative);
    throw fault::Error(fault::Code::file_unsuitable, reason, fmt::format("{}: {}", root_, what),
                       root_ + "/" + relative);
  }

  std::string root_;
  std::size_t max_entries_;
  bool is_hostile_, is_full_ = false;
  std::vector<Entry> entries_;
  std::vector<std::string> unlisted_;
};

Listing walk_tree(const std::string& root, std::size_t max_entries, bool is_hostile) {
  Fd opened(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened && errno == ENOENT) return {};
  if (!opened && is_hostile) return {.entries = {}, .unlisted = {""}};
  if (!opened) throw fault::system_error(errno, "opening folder", root);
  Walk walk(root, max_entries, is_hostile);
  walk.folder(std::move(opened), "", 0);
  return {.entries = walk.take(), .unlisted = walk.take_unlisted()};
}

}  // namespace

std::vector<Entry> list_tree(const std::string& root, std::size_t max_entries) {
  return walk_tree(root, max_entries, false).entries;
}

Listing list_hostile_tree(const std::string& root, std::size_t max_entries) {
  return walk_tree(root, max_entries, true);
}

}  // namespace stella::files
