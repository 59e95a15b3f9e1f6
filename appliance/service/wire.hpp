// SPDX-License-Identifier: Apache-2.0
// One message of a SOCK_SEQPACKET socket: a JSON text and the descriptors that came with it. The kernel keeps messages
// apart, so that nobody can send half of one. Any thread, one at a time per socket.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::service {

inline constexpr std::size_t kMaxText = 65536;     // bytes
inline constexpr std::size_t kMaxDescriptors = 8;  // of one message

struct Message {
  std::string text;
  std::vector<files::Fd> descriptors;  // O_CLOEXEC
};

// Waits as the socket does. nullopt: the other side is gone. ERR_USAGE, reason `frame`, for a message that is larger
// than the limits; what came with it is closed.
[[nodiscard]] std::optional<Message> receive(int socket);
// False: the other side is gone, or (a socket that does not wait) takes nothing now. ERR_USAGE, reason `frame`, for a
// text above the limit.
[[nodiscard]] bool send(int socket, std::string_view text, std::span<const int> descriptors = {});

// {"error": {"code", "reason", "message", "at", "fix"}}, and the error that it was.
[[nodiscard]] canon::Json error_json(const fault::Error& error);
[[nodiscard]] fault::Error error_of(const canon::Json& object, const std::string& at);

}  // namespace stella::service
