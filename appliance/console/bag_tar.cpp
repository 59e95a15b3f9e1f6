// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/bag_tar.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "bundles/archive/tar.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/tree.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kBlock = 512;
constexpr std::size_t kMaxEntries = 200000, kPiece = 64 << 10;

class BagTar : public http::Stream {
 public:
  BagTar(files::Fd root, std::string name, std::vector<files::Entry> entries)
      : root_(std::move(root)),
        name_(std::move(name)),
        entries_(std::move(entries)),
        writer_([this](std::string_view bytes) { ready_ += bytes; }) {}

  http::Portion read(std::span<char> into, http::Sleeper&) override {
    while (taken_ == ready_.size()) {
      if (is_finished_) return {0, http::Next::end};
      ready_.clear();
      taken_ = 0;
      go_on();
    }
    const std::size_t count = std::min(into.size(), ready_.size() - taken_);
    std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(taken_), count, into.begin());
    taken_ += count;
    return {count, http::Next::more};
  }

 private:
  void go_on() {
    if (left_ > 0) return copy_piece();
    if (at_ == entries_.size()) {
      writer_.finish();
      is_finished_ = true;
      return;
    }
    const files::Entry& entry = entries_[at_++];
    if (entry.kind == files::Kind::folder) return writer_.folder(name_ + "/" + entry.path, 0755);
    begin_file(entry);
  }

  void begin_file(const files::Entry& entry) {
    file_ = files::open_beneath(root_, entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat found {};
    if (::fstat(file_.get(), &found) != 0 || !S_ISREG(found.st_mode) ||
        static_cast<std::uint64_t>(found.st_size) != entry.size_bytes)
      throw std::runtime_error("the bag changed");
    writer_.begin_file(name_ + "/" + entry.path, 0644, entry.size_bytes);
    left_ = entry.size_bytes;
  }

  void copy_piece() {
    std::array<char, kPiece> piece{};
    const ssize_t got = ::read(file_.get(), piece.data(), std::min<std::uint64_t>(left_, piece.size()));
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) throw std::runtime_error("the bag cannot be read");
    writer_.write({piece.data(), static_cast<std::size_t>(got)});
    left_ -= static_cast<std::uint64_t>(got);
  }

  files::Fd root_, file_;
  std::string name_;
  std::vector<files::Entry> entries_;
  std::string ready_;
  std::size_t taken_ = 0, at_ = 0;
  std::uint64_t left_ = 0;  // of the file that is open
  bool is_finished_ = false;
  archive::TarWriter writer_;
};

std::uint64_t length_of(const std::string& name, const std::vector<files::Entry>& entries) {
  std::uint64_t total = 2 * kBlock;
  for (const files::Entry& entry : entries) {
    const bool plain = entry.kind == files::Kind::file || entry.kind == files::Kind::folder;
    const std::uint64_t size = entry.kind == files::Kind::file ? entry.size_bytes : 0;
    if (!plain || size > archive::kMaxFileBytes || !archive::fits_ustar(name + "/" + entry.path + "/"))
      throw Error(Code::file_unsuitable, "tar", "this does not fit a tar file", canon::printable(entry.path, 300),
                  "Take the evidence with `stella pack runs export --run RUN --out DIR`.");
    total += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
  return total;
}

}  // namespace

http::Response bag_as_tar(const std::string& folder) {
  const std::string name = folder.substr(folder.rfind('/') + 1);
  struct stat found {};
  if (::lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
    throw Error(Code::file_not_found, "evidence", "this evidence is no longer here", name);
  std::vector<files::Entry> entries = files::list_tree(folder, kMaxEntries);
  http::Response response;
  response.stream_bytes = length_of(name, entries);
  response.headers = {
      {"Content-Type", "application/x-tar"},
      {"Content-Disposition", fmt::format("attachment; filename*=UTF-8''{}.tar", http::escape_segment(name))}};
  response.stream = std::make_unique<BagTar>(files::open_folder(folder), name, std::move(entries));
  return response;
}

}  // namespace stella::console
