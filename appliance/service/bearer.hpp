// SPDX-License-Identifier: Apache-2.0
// Both ends of the socket over which files come and go: the process that works for a person wishes, their command line
// fulfils with the person's own rights. Wishes come one at a time, from any thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "appliance/service/request.hpp"
#include "appliance/service/wire.hpp"
#include "bundles/files/named.hpp"

namespace stella::service {

// Without a socket every wish is ERR_SERVE_BUSY, reason `gone`: the command line has ended. So is one to open a file
// that is not answered within two minutes.
class SocketBearer : public files::Bearer {
 public:
  explicit SocketBearer(files::Fd socket) : socket_(std::move(socket)) {}
  files::Fd open(const std::string& path) override;
  files::Fd open_beneath(const std::string& folder, const std::string& relative) override;
  void write(const std::string& path, std::string_view bytes, unsigned mode, files::Replace replace) override;
  bool is_folder(const std::string& path) override;

 private:
  files::Fd brought_by(const Wish& wish);
  Message fulfilled(const Wish& wish, std::span<const int> descriptors = {});
  files::Fd socket_;
  std::mutex mutex_;
};

// In the command line: takes one wish from the socket and answers it. `goes_on` as in receive_delivery, which may take
// long. False: nobody wishes any more.
[[nodiscard]] bool fulfil_one(int socket, const std::function<bool()>& goes_on);

}  // namespace stella::service
