// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/listener.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "bundles/fault/error.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

constexpr int kBacklog = 64;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw Error(Code::usage, "socket", fmt::format("a socket's path has at most {} bytes", sizeof address.sun_path - 1),
                path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

files::Fd make_socket(int flags) {
  files::Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!fd) throw fault::system_error(errno, "making", "a socket");
  return fd;
}

int try_connect(const files::Fd& fd, const std::string& path) {
  const sockaddr_un address = address_of(path);
  int result = 0;
  do result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

files::Fd lock_home(const files::Home& home) {
  const std::string path = home.path() + "/service.lock";
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "opening", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  throw Error(Code::serve_busy, "running", "another process serves this home already", path,
              "Stop it first; `systemctl status stella` shows it.");
}

void remove_left(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode))
    throw Error(Code::file_unsuitable, "exists", fmt::format("{} is there and is no socket", path), path);
  if (try_connect(make_socket(0), path) == 0)
    throw Error(Code::serve_busy, "running", fmt::format("another process listens at {}", path), path,
                "Stop it, or give another --socket PATH.");
  ::unlink(path.c_str());
}

gid_t group_id(const std::string& name) {
  std::vector<char> buffer(65536);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->gr_gid;
  throw Error(Code::usage, "group", fmt::format("there is no group {}", name), "--socket",
              fmt::format("As root: addgroup --system {}", name));
}

}  // namespace

Listener::Listener(const files::Home& home, std::string path, const std::string& group) : path_(std::move(path)) {
  lock_ = lock_home(home);
  const sockaddr_un address = address_of(path_);
  remove_left(path_);
  files::Fd fd = make_socket(SOCK_NONBLOCK);
  // Nobody connects before the group is right: the file gets the mode that the socket has when it is bound (Linux).
  if (::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw fault::system_error(errno, "making the socket", path_);
  socket_ = std::move(fd);
  if (!group.empty() && ::lchown(path_.c_str(), static_cast<uid_t>(-1), group_id(group)) != 0)
    throw fault::system_error(errno, fmt::format("giving group {} to", group), path_);
  if (::chmod(path_.c_str(), 0660) != 0) throw fault::system_error(errno, "opening up", path_);
  if (::listen(socket_.get(), kBacklog) != 0) throw fault::system_error(errno, "listening at", path_);
}

Listener::~Listener() {
  if (socket_) ::unlink(path_.c_str());
}

files::Fd connect_to(const std::string& path) {
  files::Fd fd = make_socket(0);
  const int error = try_connect(fd, path);
  if (error == 0) return fd;
  if (error == EACCES || error == EPERM)
    throw Error(Code::access_denied, "socket", fmt::format("you may not connect to {}", path), path,
                "Ask root to add you to the group of the socket, then log in again.");
  throw Error(Code::serve_busy, "unreachable", fmt::format("nobody listens at {} ({})", path, std::strerror(error)),
              path, "See `systemctl status stella`, then run the command again.");
}

}  // namespace stella::service
