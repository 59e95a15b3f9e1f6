// SPDX-License-Identifier: Apache-2.0
// The service's own socket in the file system. One thread.
#pragma once

#include <string>

#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::service {

// Listens at the path, SOCK_SEQPACKET, mode 0660 with that group; what a killed service left there is replaced. Holds
// service.lock of the home while it lives. Errors: as serve().
class Listener {
 public:
  Listener(const files::Home& home, std::string path, const std::string& group);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();
  [[nodiscard]] int get() const noexcept { return socket_.get(); }

 private:
  std::string path_;
  files::Fd lock_, socket_;
};

// Connects to a service. ERR_SERVE_BUSY, reason `unreachable`; ERR_ACCESS_DENIED, reason `socket`, when the
// socket's mode keeps this user out.
[[nodiscard]] files::Fd connect_to(const std::string& path);

}  // namespace stella::service
