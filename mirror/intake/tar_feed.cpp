// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "bundles/archive/tar.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/read.hpp"
#include "mirror/intake/feed.hpp"

namespace stella::intake {
namespace {

using fault::Code;
constexpr std::uint64_t kMaxTar = std::uint64_t{1} << 50;
constexpr std::size_t kMaxMembers = 20000;

// Feeds the tar reader with the headers only: while a member's content passes, zeros stand for it, so that the content
// is read from the medium once, when it is needed.
class HeaderScan {
 public:
  explicit HeaderScan(Part whole) : whole_(std::move(whole)) {}

  std::string_view next() {
    if (position_ >= whole_.size_bytes) return {};
    if (position_ < content_end_) {
      const std::size_t size = std::min<std::uint64_t>(kZeros.size(), content_end_ - position_);
      position_ += size;
      return {kZeros.data(), size};
    }
    const std::size_t size = std::min<std::uint64_t>(block_.size(), whole_.size_bytes - position_);
    whole_.read(position_, std::span(block_).first(size));
    position_ += size;
    return {block_.data(), size};
  }
  void skip_until(std::uint64_t end) { content_end_ = std::min(end, whole_.size_bytes); }

 private:
  static constexpr std::array<char, 65536> kZeros{};
  Part whole_;
  std::uint64_t position_ = 0, content_end_ = 0;
  std::array<char, 512> block_{};
};

class TarFeed : public Feed {
 public:
  explicit TarFeed(const std::string& path)
      : Feed(std::filesystem::path(path).filename().string()), file_(files::open_input(path, {.max_bytes = kMaxTar})) {
    const Part whole{file_.get(), 0, files::size_of(file_), name()};
    HeaderScan scan(whole);
    const archive::Codes codes{.code = Code::mirror_malformed, .name = name()};
    const archive::Limits limits{.max_total_bytes = whole.size_bytes, .max_members = kMaxMembers};
    archive::read_tar(
        [&] { return scan.next(); }, codes, limits,
        [&](const archive::Member& member, archive::MemberReader&) {
          if (member.type != archive::Type::file) return;
          if (member.size_bytes > whole.size_bytes || member.offset > whole.size_bytes - member.size_bytes) {
            throw fault::Error(Code::mirror_malformed, "truncated", name() + " ends in the middle of " + member.path,
                               member.path);
          }
          scan.skip_until(member.offset + member.size_bytes);
          members_[member.path] = {file_.get(), member.offset, member.size_bytes, member.path};
        });
    find_prefix();
  }

  std::optional<std::string> document(const std::string& path, std::uint64_t max_bytes) override {
    const auto found = members_.find(prefix_ + path);
    if (found == members_.end()) return std::nullopt;
    const Part& part = found->second;
    if (part.size_bytes > max_bytes)
      throw fault::Error(Code::mirror_malformed, "size", path + " is larger than its role may be", path);
    std::string bytes(part.size_bytes, '\0');
    part.read(0, bytes);
    return bytes;
  }

  Part part(const std::string& path) override {
    const auto found = members_.find(prefix_ + path);
    if (found == members_.end())
      throw fault::Error(Code::mirror_malformed, "missing", "the bundle has no " + path, path);
    return found->second;
  }

 private:
  // Members begin with the bundle's folder, perhaps with STELLA-MIRROR before it; the one with a timestamp is the
  // bundle.
  void find_prefix() {
    constexpr std::string_view kMark = "metadata/timestamp.json";
    for (const auto& [path, part] : members_) {
      if (!path.ends_with(kMark)) continue;
      const std::string prefix = path.substr(0, path.size() - kMark.size());
      if (!prefix.empty() && prefix.back() != '/') continue;
      if (found_) throw fault::Error(Code::mirror_malformed, "duplicate", name() + " holds several bundles", name());
      prefix_ = prefix;
      found_ = true;
    }
    if (!found_) throw fault::Error(Code::mirror_malformed, "missing", name() + " holds no mirror bundle", name());
  }

  files::Fd file_;
  std::map<std::string, Part> members_;
  std::string prefix_;
  bool found_ = false;
};

}  // namespace

std::unique_ptr<Feed> open_tar_feed(const std::string& path) {
  return std::make_unique<TarFeed>(path);
}

}  // namespace stella::intake
