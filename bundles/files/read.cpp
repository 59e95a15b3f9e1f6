// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/read.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "bundles/fault/error.hpp"
#include "bundles/files/named.hpp"

namespace stella::files {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kBlock = std::size_t{1} << 20, kSmallBlock = std::size_t{4} << 10;

// What a read of this file needs: a small one in one piece and its end, without a megabyte that is zeroed for nothing.
// Steps leave small files by the thousand.
std::size_t block_for(const Fd& file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0) return kBlock;
  return std::clamp(static_cast<std::size_t>(info.st_size) + 1, kSmallBlock, kBlock);
}

void check_kind(const Fd& fd, const std::string& path, InputRule rule) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw fault::system_error(errno, "looking at", path);
  const auto refuse = [&](std::string_view reason, std::string_view is) {
    throw Error(Code::file_unsuitable, reason, fmt::format("{} is {}, a regular file is needed", path, is), path);
  };
  if (S_ISDIR(info.st_mode)) refuse("folder", "a folder");
  if (S_ISFIFO(info.st_mode)) refuse("fifo", "a named pipe");
  if (S_ISSOCK(info.st_mode)) refuse("socket", "a socket");
  if (!S_ISREG(info.st_mode)) refuse("device", "a device");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size == 0 && rule.empty == Empty::refuse) refuse("empty", "empty");
  if (size > rule.max_bytes) {
    throw Error(Code::file_unsuitable, "size",
                fmt::format("{} has {} bytes, at most {} are taken", path, size, rule.max_bytes), path);
  }
}

std::string read_checked(const Fd& fd, const std::string& path, InputRule rule) {
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(size_of(fd)));
  stream_input(fd, path, rule.max_bytes, [&](std::string_view block) { bytes.append(block); });
  if (bytes.empty() && rule.empty == Empty::refuse) {
    throw Error(Code::file_unsuitable, "empty", fmt::format("{} is empty", path), path);
  }
  return bytes;
}

}  // namespace

Fd open_input(const std::string& path, InputRule rule) {
  if (Bearer* bearer = bearer_of(path)) {
    Fd borne = bearer->open(plain(path));
    check_kind(borne, plain(path), rule);
    return borne;
  }
  const int link_flag = rule.links == Links::refuse ? O_NOFOLLOW : 0;
  // O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | link_flag));
  if (!fd && errno == ENXIO)
    throw Error(Code::file_unsuitable, "socket", fmt::format("{} is a socket or device", path), path);
  if (!fd && errno == ENAMETOOLONG)
    throw Error(Code::file_unsuitable, "name", "the path is too long", path.substr(0, 80));
  if (!fd) throw fault::system_error(errno, "opening", path);
  check_kind(fd, path, rule);
  return fd;
}

std::string read_input(const std::string& path, InputRule rule) {
  return read_checked(open_input(path, rule), path, rule);
}

std::string read_input_beneath(const Fd& root, const std::string& relative, InputRule rule) {
  const Fd fd = open_beneath(root, relative, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  check_kind(fd, relative, rule);
  return read_checked(fd, relative, rule);
}

std::string read_stream(int fd, std::uint64_t max_bytes, const std::string& name) {
  std::string bytes;
  std::vector<char> block(kBlock);
  for (;;) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading", name);
    if (count == 0) return bytes;
    bytes.append(block.data(), static_cast<std::size_t>(count));
    if (bytes.size() > max_bytes) {
      throw Error(Code::file_unsuitable, "size", fmt::format("{} has more than {} bytes", name, max_bytes), name);
    }
  }
}

void stream_input(const Fd& file, const std::string& name, std::uint64_t max_bytes,
                  const std::function<void(std::string_view)>& take) {
  std::vector<char> block(block_for(file));
  std::uint64_t total = 0;
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading", name);
    if (count == 0) return;
    total += static_cast<std::uint64_t>(count);
    if (total > max_bytes) {
      throw Error(Code::file_unsuitable, "size", fmt::format("{} has more than {} bytes", name, max_bytes), name);
    }
    take({block.data(), static_cast<std::size_t>(count)});
  }
}

std::uint64_t size_of(const Fd& file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw fault::system_error(errno, "looking at", "open file");
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace stella::files
