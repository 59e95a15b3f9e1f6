// SPDX-License-Identifier: Apache-2.0
// What stands outside of a step in its tests: a small server on a loopback address, an abstract socket, and which
// programs a step would find.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stella::sandbox {

inline bool has_program(const std::string& name) {
  return std::filesystem::exists("/usr/bin/" + name);
}

class Server {
 public:
  enum class Kind { pong, echo_after_end };  // answers four bytes with four; or repeats all when the client has ended
  explicit Server(const std::string& address, Kind kind = Kind::pong) : kind_(kind) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, address.c_str(), &at.sin_addr);
    socklen_t size = sizeof at;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 300) != 0) return;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  Server(const Server&) = delete;
  ~Server() {
    shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    for (auto& talk : talks_) talk.join();
    close(listener_);
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  void accept_all() {
    for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      talks_.emplace_back([this, fd] { talk(fd); });
    }
  }
  void talk(int fd) const {
    std::string received;
    char block[65536];
    for (ssize_t got = 0; (got = recv(fd, block, sizeof block, 0)) > 0;) {
      if (kind_ == Kind::pong)
        (void)!send(fd, "pong", 4, MSG_NOSIGNAL);
      else
        received.append(block, static_cast<std::size_t>(got));
    }
    for (std::size_t sent = 0; sent < received.size();) {
      const ssize_t put = send(fd, received.data() + sent, received.size() - sent, MSG_NOSIGNAL);
      if (put <= 0) break;
      sent += static_cast<std::size_t>(put);
    }
    close(fd);
  }
  Kind kind_;
  int listener_ = -1, port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> talks_;
};

class AbstractSocket {
 public:
  explicit AbstractSocket(const std::string& name) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0) (void)!listen(fd_, 1);
  }
  AbstractSocket(const AbstractSocket&) = delete;
  ~AbstractSocket() { close(fd_); }

 private:
  int fd_;
};

}  // namespace stella::sandbox
