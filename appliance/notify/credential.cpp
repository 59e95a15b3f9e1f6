// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/credential.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"

namespace stella::notify {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMax = 4096;

void require_own(int fd, const std::string& path, unsigned forbidden) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw fault::system_error(errno, "looking at", path);
  if (info.st_uid == ::geteuid() && (info.st_mode & forbidden) == 0) return;
  throw Error(Code::key_unusable, "mode",
              fmt::format("{} must belong to this user alone, it has mode {:04o}", path, info.st_mode & 07777U), path,
              "Run `chmod 600` on it after checking who has read or written it.");
}

}  // namespace

locked::Bytes load_credential(const files::Home& home, const std::string& name) {
  if (name.empty()) return {};
  const std::string path = credentials_of(home) + "/" + name;
  const files::Fd file = files::open_input(path, {.max_bytes = kMax, .links = files::Links::refuse});
  require_own(file.get(), path, 077);
  locked::Bytes bytes(kMax);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading", path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  const auto* end = std::find(bytes.data(), bytes.data() + size, '\n');
  if (end != bytes.data() && *(end - 1) == '\r') --end;
  bytes.shrink(static_cast<std::size_t>(end - bytes.data()));
  const bool visible =
      std::all_of(bytes.data(), bytes.data() + bytes.size(), [](auto c) { return c > ' ' && c <= '~'; });
  if (bytes.empty() || !visible)
    throw Error(Code::key_unusable, "format", fmt::format("{} does not begin with a line of visible ASCII", path), path,
                "One line: a Slack token's path, a PagerDuty routing key, a bearer token, or USER:PASSWORD for mail.");
  return bytes;
}

std::optional<std::string> find_ca_file(const files::Home& home) {
  const std::string path = credentials_of(home) + "/ca.pem";
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  const files::Fd file = files::open_input(path, {.max_bytes = 1 << 20, .links = files::Links::refuse});
  require_own(file.get(), path, 022);
  return path;
}

}  // namespace stella::notify
