// SPDX-License-Identifier: Apache-2.0
#include "appliance/http/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::http {
namespace {

using fault::Code;
using fault::Error;

constexpr int kBacklog = 512;

Error no_address(const std::string& text) {
  return {Code::usage, "listen",
          fmt::format("`{}` is no address to listen on: loopback or a Unix socket only", canon::printable(text, 200)),
          "--listen", "For example --listen 127.0.0.1:8080 or --listen unix:/run/stella/console.socket."};
}

Error taken(const Address& address) {
  return {Code::usage, "address", fmt::format("{} is in use by another process", name_of(address)), "--listen",
          "Stop that process, or listen somewhere else: --listen 127.0.0.1:8081."};
}

files::Fd new_socket(int family) {
  files::Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw fault::system_error(errno, "making", "a socket");
  return fd;
}

sockaddr_un unix_name(const Address& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.path.empty() || address.path.size() >= sizeof name.sun_path)
    throw Error(Code::usage, "listen", fmt::format("a socket's path has 1 to {} bytes", sizeof name.sun_path - 1),
                "--listen");
  std::memcpy(name.sun_path, address.path.data(), address.path.size());
  return name;
}

// What a server left that is gone now. A living one answers.
void remove_stale(const Address& address, const sockaddr_un& name) {
  struct stat found {};
  if (::lstat(address.path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode))
    throw Error(Code::file_unsuitable, "kind", fmt::format("{} is there and is no socket", address.path), "--listen",
                "Remove it or give another path.");
  const files::Fd probe = new_socket(AF_UNIX);
  const int answer = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
  if (answer == 0 || errno != ECONNREFUSED) throw taken(address);
  (void)::unlink(address.path.c_str());
}

Listener listen_unix(const Address& address) {
  const sockaddr_un name = unix_name(address);
  remove_stale(address, name);
  files::Fd fd = new_socket(AF_UNIX);
  const mode_t before = ::umask(0177);  // the socket is made with its mode: nobody gets in between
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
  const int error = errno;
  ::umask(before);
  if (bound != 0 && error == EADDRINUSE) throw taken(address);
  if (bound != 0) throw fault::system_error(error, "listening on", address.path);
  if (::listen(fd.get(), kBacklog) != 0) throw fault::system_error(errno, "listening on", address.path);
  return {std::move(fd), address};
}

template <class Name>
Listener listen_tcp(Address address, int family, Name& name) {
  files::Fd fd = new_socket(family);
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  if (::bind(fd.get(), generic, sizeof name) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) throw taken(address);
    throw fault::system_error(errno, "listening on", name_of(address));
  }
  socklen_t length = sizeof name;
  if (::getsockname(fd.get(), generic, &length) != 0) throw fault::system_error(errno, "asking", "the socket");
  if constexpr (std::is_same_v<Name, sockaddr_in>)
    address.port = ntohs(name.sin_port);
  else
    address.port = ntohs(name.sin6_port);
  return {std::move(fd), std::move(address)};
}

}  // namespace

Address parse_address(const std::string& text) {
  if (text.starts_with("unix:")) {
    Address address;
    address.path = text.substr(5);
    if (address.path.empty() || address.path.find('\0') != std::string::npos) throw no_address(text);
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) throw no_address(text);
  const std::string host = text.substr(0, colon), port = text.substr(colon + 1);
  Address address;
  if (host == "127.0.0.1" || host == "localhost") address.host = "127.0.0.1";
  if (host == "[::1]") address.host = "::1";
  const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (address.host.empty() || port.empty() || read.ec != std::errc() || read.ptr != port.data() + port.size())
    throw no_address(text);
  return address;
}

Listener listen_on(const Address& address) {
  if (address.is_unix()) return listen_unix(address);
  if (address.host == "::1") {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(address.port);
    name.sin6_addr = in6addr_loopback;
    return listen_tcp(address, AF_INET6, name);
  }
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listen_tcp(address, AF_INET, name);
}

std::string name_of(const Address& address) {
  if (address.is_unix()) return "unix:" + address.path;
  return address.host == "::1" ? fmt::format("http://[::1]:{}", address.port)
                               : fmt::format("http://{}:{}", address.host, address.port);
}

}  // namespace stella::http
