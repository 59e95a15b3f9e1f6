// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/named.hpp"
#include "bundles/files/read.hpp"
#include "mirror/intake/feed.hpp"

namespace stella::intake {
namespace {

using fault::Code;

// What stands in a file's place inside a bundle is the bundle's fault, not the argument's.
[[noreturn]] void retell(const fault::Error& error, const std::string& path) {
  if (error.code() != Code::file_unsuitable || error.reason() == "permission") throw error;
  std::string reason = error.reason();
  if (reason == "folder" || reason == "fifo" || reason == "socket" || reason == "device") reason = "type";
  if (reason == "empty") reason = "truncated";
  throw fault::Error(Code::mirror_malformed, reason, error.what(), path);
}

std::uint64_t size_of(const files::Fd& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw fault::system_error(errno, "looking at", path);
  if (!S_ISREG(info.st_mode)) throw fault::Error(Code::mirror_malformed, "type", path + " is not a regular file", path);
  return static_cast<std::uint64_t>(info.st_size);
}

class FolderFeed : public Feed {
 public:
  explicit FolderFeed(const std::string& path)
      : Feed(std::filesystem::path(path + "/").parent_path().filename().string()),
        path_(path),
        bearer_(files::bearer_of(path)),
        root_(bearer_ != nullptr ? files::Fd() : files::open_folder(path)) {}

  std::optional<std::string> document(const std::string& path, std::uint64_t max_bytes) override {
    try {
      const files::InputRule rule{.max_bytes = max_bytes, .empty = files::Empty::allow, .links = files::Links::refuse};
      if (bearer_ == nullptr) return files::read_input_beneath(root_, path, rule);
      const files::Fd file = open(path);
      (void)size_of(file, path);
      return files::read_stream(file.get(), max_bytes, path);
    } catch (const fault::Error& error) {
      if (error.code() == Code::file_not_found) return std::nullopt;
      retell(error, path);
    }
  }

  Part part(const std::string& path) override {
    try {
      files::Fd file = open(path);
      const std::uint64_t size = size_of(file, path);
      ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
      open_.push_back(std::move(file));
      return {open_.back().get(), 0, size, path};
    } catch (const fault::Error& error) {
      if (error.code() == Code::file_not_found) {
        throw fault::Error(Code::mirror_malformed, "missing", "the bundle has no " + path, path);
      }
      retell(error, path);
    }
  }

 private:
  files::Fd open(const std::string& path) {
    if (bearer_ != nullptr) return bearer_->open_beneath(files::plain(path_), path);
    return files::open_beneath(root_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  }

  std::string path_;
  files::Bearer* bearer_;
  files::Fd root_;
  std::vector<files::Fd> open_;
};

}  // namespace

std::unique_ptr<Feed> open_folder_feed(const std::string& path) {
  return std::make_unique<FolderFeed>(path);
}

}  // namespace stella::intake
