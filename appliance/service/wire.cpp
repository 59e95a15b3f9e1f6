// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/wire.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "bundles/canon/fields.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kControl = CMSG_SPACE(kMaxDescriptors * sizeof(int));

std::vector<files::Fd> taken_from(msghdr& header) {
  std::vector<files::Fd> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t many = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < many; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

std::optional<Message> receive(int socket) {
  std::string text(kMaxText, '\0');
  alignas(cmsghdr) std::array<char, kControl> control{};
  iovec part{text.data(), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t count = 0;
  // A side that closes with something unread leaves ECONNRESET in front of what it had sent (Linux 6.1).
  int resets = 0;
  do count = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  while (count < 0 && (errno == EINTR || (errno == ECONNRESET && ++resets < 2)));
  if (count < 0 && errno != ECONNRESET) throw fault::system_error(errno, "receiving from", "the socket");
  if (count <= 0) return std::nullopt;
  Message message{.text = {}, .descriptors = taken_from(header)};
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    throw Error(Code::usage, "frame", "a message of the service's socket is larger than is taken");
  text.resize(static_cast<std::size_t>(count));
  message.text = std::move(text);
  return message;
}

bool send(int socket, std::string_view text, std::span<const int> descriptors) {
  if (text.size() > kMaxText || descriptors.size() > kMaxDescriptors)
    throw Error(Code::usage, "frame", fmt::format("a request of {} bytes is larger than is taken", text.size()));
  alignas(cmsghdr) std::array<char, kControl> control{};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN || errno == EAGAIN) return false;
    throw fault::system_error(errno, "sending to", "the socket");
  }
}

canon::Json error_json(const fault::Error& error) {
  return {{"error",
           {{"code", std::string(fault::info(error.code()).name)},
            {"reason", error.reason()},
            {"message", error.what()},
            {"at", error.at()},
            {"fix", error.fix()}}}};
}

fault::Error error_of(const canon::Json& object, const std::string& at) {
  canon::Fields fields(object, Code::usage, "frame", at);
  const fault::CodeInfo* code = fault::find_code(fields.text("code", 64));
  if (code == nullptr) fields.fail("there is no such code", "code");
  Error error(code->code, fields.text("reason", 64), fields.text("message"), fields.text("at"), fields.text("fix"));
  fields.finish();
  return error;
}

}  // namespace stella::service
