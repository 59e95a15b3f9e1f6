// SPDX-License-Identifier: Apache-2.0
// Where the server listens: loopback or a Unix socket, nothing else. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "bundles/files/fd.hpp"

namespace stella::http {

struct Address {
  std::string host;        // 127.0.0.1 or ::1; empty: a Unix socket
  std::uint16_t port = 0;  // 0: the kernel chooses
  std::string path;        // of the socket
  [[nodiscard]] bool is_unix() const noexcept { return host.empty(); }
};
// `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080`, `unix:PATH`. ERR_USAGE reason `listen` for anything else.
[[nodiscard]] Address parse_address(const std::string& text);

struct Listener {
  files::Fd fd;     // listening, non-blocking
  Address address;  // with the port that it got
};
// A socket file that nobody listens on is replaced; it is made with mode 0600. ERR_USAGE reason `address`,
// ERR_FILE_UNSUITABLE for a path that is no socket.
[[nodiscard]] Listener listen_on(const Address& address);
[[nodiscard]] std::string name_of(const Address& address);  // http://127.0.0.1:8080 or unix:PATH

}  // namespace stella::http
