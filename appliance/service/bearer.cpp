// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/bearer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "appliance/service/delivery.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

constexpr int kPatienceMillis = 120000;
constexpr std::uint64_t kMaxWritten = std::uint64_t{256} << 20;

[[noreturn]] void gone(const std::string& path) {
  throw Error(Code::serve_busy, "gone", fmt::format("whoever named {} is gone", path), path, "Run the command again.");
}

files::Fd open_to_read(const Wish& wish) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  if (!wish.below.empty()) return files::open_beneath(files::open_folder(wish.path), wish.below, kFlags);
  files::Fd fd(::open(wish.path.c_str(), kFlags | O_CLOEXEC));
  if (!fd) throw fault::system_error(errno, "opening", wish.path);
  return fd;
}

void write_whole(const Wish& wish, const Message& message) {
  if (message.descriptors.size() != 1) throw Error(Code::usage, "frame", "there is nothing to write", wish.path);
  const std::string bytes = files::read_stream(message.descriptors.front().get(), kMaxWritten, wish.path);
  files::write_atomically(wish.path, bytes, static_cast<unsigned>(wish.mode),
                          wish.replace ? files::Replace::yes : files::Replace::no);
}

// Does what is wished, with the rights of this process, and gives what goes back with the answer.
Fulfilled fulfil(const Wish& wish, const Message& message, files::Fd& brought) {
  try {
    if (wish.kind == Wish::Kind::folder) return files::is_folder(wish.path);
    if (wish.kind == Wish::Kind::read)
      brought = open_to_read(wish);
    else
      write_whole(wish, message);
    return true;
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace

Message SocketBearer::fulfilled(const Wish& wish, std::span<const int> descriptors) {
  const std::scoped_lock lock(mutex_);
  if (!socket_ || !send(socket_.get(), text_of(wish), descriptors)) gone(wish.path);
  // Opening takes a moment. Whoever stalls it would keep what this process holds, such as the registry's lock.
  struct pollfd coming {
    socket_.get(), POLLIN, 0
  };
  int count = 0;
  do count = ::poll(&coming, 1, wish.kind == Wish::Kind::write ? -1 : kPatienceMillis);
  while (count < 0 && errno == EINTR);
  if (count == 0) {
    socket_.reset();  // an answer that comes late would pass for the next wish's
    gone(wish.path);
  }
  auto answer = receive(socket_.get());
  if (!answer) gone(wish.path);
  return std::move(*answer);
}

files::Fd SocketBearer::brought_by(const Wish& wish) {
  Message message = fulfilled(wish);
  const Fulfilled answer = parse_fulfilled(message.text);
  if (const auto* error = std::get_if<Error>(&answer)) throw *error;
  if (message.descriptors.size() != 1) throw Error(Code::usage, "frame", "no file came for a path", wish.path);
  return std::move(message.descriptors.front());
}

files::Fd SocketBearer::open(const std::string& path) {
  return brought_by({.kind = Wish::Kind::read, .path = path, .below = {}});
}

files::Fd SocketBearer::open_beneath(const std::string& folder, const std::string& relative) {
  return brought_by({.kind = Wish::Kind::read, .path = folder, .below = relative});
}

void SocketBearer::write(const std::string& path, std::string_view bytes, unsigned mode, files::Replace replace) {
  const files::Fd memory(::memfd_create("stella-output", MFD_CLOEXEC));
  if (!memory) throw fault::system_error(errno, "writing", path);
  files::write_all(memory.get(), bytes, path);
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) throw fault::system_error(errno, "writing", path);
  const int fd = memory.get();
  const Wish wish{.kind = Wish::Kind::write,
                  .path = path,
                  .below = {},
                  .mode = static_cast<int>(mode),
                  .replace = replace == files::Replace::yes};
  const Fulfilled answer = parse_fulfilled(fulfilled(wish, std::span(&fd, 1)).text);
  if (const auto* error = std::get_if<Error>(&answer)) throw *error;
}

bool SocketBearer::is_folder(const std::string& path) {
  const Fulfilled answer = parse_fulfilled(fulfilled({.kind = Wish::Kind::folder, .path = path, .below = {}}).text);
  if (const auto* error = std::get_if<Error>(&answer)) throw *error;
  return std::get<bool>(answer);
}

bool fulfil_one(int socket, const std::function<bool()>& goes_on) {
  const auto message = receive(socket);
  if (!message) return false;
  if (is_delivery(message->text)) return send(socket, receive_delivery(*message, goes_on));
  files::Fd brought;
  const Fulfilled answer = fulfil(parse_wish(message->text), *message, brought);
  const int fd = brought.get();
  return send(socket, text_of_fulfilled(answer), std::span(&fd, brought ? 1 : 0));
}

}  // namespace stella::service
