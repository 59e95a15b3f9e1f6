// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/delivery.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxList = std::uint64_t{64} << 20;
constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::string_view kSchema = "stella.delivery.v1";

std::string text_of(const Destination& to) {
  return canon::canonical({{"schema", kSchema},
                           {"path", to.path},
                           {"medium", to.is_medium},
                           {"allowFixed", to.allow_fixed},
                           {"below", to.below}});
}

// Relative and downward: what comes over the socket never leads out of the medium.
std::string downward(canon::Fields& fields, std::string_view name) {
  std::string path = fields.text(name, 4096);
  const std::string framed = "/" + path + "/";
  if (path.empty() || framed.find("//") != std::string::npos || framed.find("/./") != std::string::npos ||
      framed.find("/../") != std::string::npos || path.find('\0') != std::string::npos)
    fields.fail("a relative path without `.` and `..` is needed", name);
  return path;
}

Destination parse_destination(std::string_view text) {
  const canon::Json object = canon::parse_json(text, Code::usage, "frame");
  canon::Fields fields(object, Code::usage, "frame", "delivery");
  (void)fields.choice("schema", {std::string(kSchema)});
  Destination to{.path = fields.text("path", 4096),
                 .is_medium = fields.boolean("medium"),
                 .allow_fixed = fields.boolean("allowFixed"),
                 .below = downward(fields, "below")};
  fields.finish();
  return to;
}

std::string list_text(const std::vector<media::File>& files) {
  canon::Json list = canon::Json::array();
  for (const media::File& file : files)
    list.push_back({{"path", file.path}, {"sha256", file.digest.tagged()}, {"size", file.size_bytes}});
  return canon::canonical(list);
}

std::vector<media::File> parse_list(const std::string& text) {
  std::vector<media::File> files;
  const canon::Json list = canon::parse_json(text, Code::usage, "frame");
  for (const canon::Json& item : list) {
    canon::Fields fields(item, Code::usage, "frame", "delivery");
    media::File file{.path = downward(fields, "path"),
                     .digest = canon::parse_digest(fields.text("sha256", 80), Code::usage, "frame"),
                     .size_bytes = static_cast<std::uint64_t>(fields.integer("size", 0, std::int64_t{1} << 50))};
    fields.finish();
    files.push_back(std::move(file));
  }
  return files;
}

void require(const std::function<bool()>& goes_on) {
  if (!goes_on())
    throw Error(Code::serve_busy, "interrupted", "the copy was interrupted", {}, "Run the command again.");
}

// Exactly the bytes of one file from the pipe.
void take_from(const files::Fd& pipe, const media::File& file, const std::function<void(std::string_view)>& take,
               const std::function<bool()>& goes_on) {
  std::vector<char> block(kBlock);
  for (std::uint64_t left = file.size_bytes; left > 0;) {
    require(goes_on);
    struct pollfd coming {
      pipe.get(), POLLIN, 0
    };
    if (::poll(&coming, 1, 200) <= 0) continue;
    const ssize_t count =
        ::read(pipe.get(), block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, kBlock)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "receiving", file.path);
    if (count == 0) throw Error(Code::serve_busy, "gone", "the service ended while it sent files", file.path);
    take({block.data(), static_cast<std::size_t>(count)});
    left -= static_cast<std::uint64_t>(count);
  }
}

// False: the other end wants no more.
bool push(const files::Fd& into, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = ::write(into.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// All files after each other. A command line that wants no more closes its end: it says why in its answer.
void pour(const std::vector<media::File>& files, const media::Source& source, files::Fd into) {
  bool is_wanted = true;
  for (const media::File& file : files) {
    if (is_wanted) source(file, [&](std::string_view block) { is_wanted = is_wanted && push(into, block); });
  }
}

std::string answer_of(const Delivered& delivered) {
  return canon::canonical({{"delivered",
                            {{"folder", delivered.copied.folder},
                             {"new", delivered.copied.outcome == media::Outcome::written},
                             {"cacheBypassed", delivered.copied.cache_bypassed},
                             {"fileSystem", delivered.file_system},
                             {"removable", delivered.removable}}}});
}

Delivered parse_answer(const std::string& text) {
  const canon::Json object = canon::parse_json(text, Code::usage, "frame");
  canon::Fields fields(object, Code::usage, "frame", "delivery");
  if (fields.has("error")) throw error_of(fields.object("error"), "delivery");
  canon::Fields inner(fields.object("delivered"), Code::usage, "frame", "delivery");
  fields.finish();
  Delivered delivered;
  delivered.copied.folder = inner.text("folder", 8192);
  delivered.copied.outcome = inner.boolean("new") ? media::Outcome::written : media::Outcome::already_there;
  delivered.copied.cache_bypassed = inner.boolean("cacheBypassed");
  delivered.file_system = inner.text("fileSystem", 256);
  delivered.removable = inner.boolean("removable");
  inner.finish();
  return delivered;
}

[[noreturn]] void gone(const std::string& path) {
  throw Error(Code::serve_busy, "gone", "the operator's command line is gone", path, "Run the command again.");
}

}  // namespace

Delivered deliver_here(const Destination& to, const std::vector<media::File>& files, const media::Source& source,
                       const std::function<void(std::uint64_t)>& progress) {
  if (!to.is_medium) files::make_folders(to.path, 0755);
  const bool any = !to.is_medium || to.allow_fixed;
  const media::Volume volume = media::open_volume(to.path, any ? media::Fixed::allow : media::Fixed::refuse);
  return {media::copy_verified(source, files, volume, volume.path + "/" + to.below, progress), volume.file_system,
          volume.removable};
}

Delivered deliver_through(int socket, const Destination& to, const std::vector<media::File>& files,
                          const media::Source& source) {
  const files::Fd list(::memfd_create("stella-delivery", MFD_CLOEXEC));
  int ends[2];
  if (!list || ::pipe2(ends, O_CLOEXEC) != 0) throw fault::system_error(errno, "sending", to.below);
  files::Fd out(ends[0]);
  files::Fd in(ends[1]);
  files::write_all(list.get(), list_text(files), to.below);
  if (::lseek(list.get(), 0, SEEK_SET) != 0) throw fault::system_error(errno, "sending", to.below);
  const int fds[] = {list.get(), out.get()};
  if (!send(socket, text_of(to), fds)) gone(to.path);
  out.reset();
  pour(files, source, std::move(in));
  const auto answer = receive(socket);
  if (!answer) gone(to.path);
  return parse_answer(answer->text);
}

bool is_delivery(std::string_view text) {
  return text.find(kSchema) != std::string_view::npos;
}

std::string receive_delivery(const Message& message, const std::function<bool()>& goes_on) {
  try {
    const Destination to = parse_destination(message.text);
    if (message.descriptors.size() != 2) throw Error(Code::usage, "frame", "a delivery comes with two descriptors");
    const auto files = parse_list(files::read_stream(message.descriptors[0].get(), kMaxList, "the list"));
    const files::Fd& pipe = message.descriptors[1];
    const media::Source source = [&](const media::File& file, const std::function<void(std::string_view)>& take) {
      take_from(pipe, file, take, goes_on);
    };
    return answer_of(deliver_here(to, files, source, [&](std::uint64_t) { require(goes_on); }));
  } catch (const Error& error) {
    return canon::canonical(error_json(error));
  }
}

}  // namespace stella::service
