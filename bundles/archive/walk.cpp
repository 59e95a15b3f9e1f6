// SPDX-License-Identifier: Apache-2.0
#include "bundles/archive/walk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "bundles/canon/fields.hpp"

namespace stella::archive {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kMaxExtension = 65536;                    // bytes of one pax or long-name header
constexpr std::uint64_t kMaxZeroBlocks = 2 + (1 << 20) / kBlock;  // tar pads to its blocking factor

// Octal digits, then space or NUL; GNU's base-256 numbers are refused with everything else.
std::optional<std::uint64_t> octal(std::string_view field) {
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  std::uint64_t value = 0;
  std::size_t digits = 0;
  while (digits < field.size() && field[digits] >= '0' && field[digits] <= '7') {
    value = value << 3 | static_cast<std::uint64_t>(field[digits++] - '0');
  }
  const std::string_view rest = field.substr(digits);
  const bool ends = std::all_of(rest.begin(), rest.end(), [](char c) { return c == ' ' || c == '\0'; });
  if (!ends || digits == 0) return std::nullopt;
  return value;
}

}  // namespace

void Walk::fail(const char* reason, const std::string& what) const {
  throw fault::Error(codes_.code, reason, fmt::format("{} (byte {})", what, position_ - kBlock), codes_.name);
}

void Walk::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (skip_ > 0) {
      const std::uint64_t step = std::min<std::uint64_t>(skip_, bytes.size());
      skip_ -= step;
      position_ += step;
      bytes.remove_prefix(step);
      continue;
    }
    const std::size_t step = std::min(bytes.size(), block_.size() - filled_);
    std::memcpy(block_.data() + filled_, bytes.data(), step);
    filled_ += step;
    position_ += step;
    bytes.remove_prefix(step);
    if (filled_ == block_.size()) {
      filled_ = 0;
      block();
    }
  }
}

void Walk::block() {
  const bool zero = std::all_of(block_.begin(), block_.end(), [](char c) { return c == '\0'; });
  if (zero) {
    if (extended_ || long_name_) fail("tar", "the archive ends between a name and its member");
    if (++zero_blocks_ > kMaxZeroBlocks) fail("tar", "more than 1 MiB of zeros follow the archive's end");
    return;
  }
  if (zero_blocks_ == 1) fail("tar", "a lone zero block stands between members");
  if (zero_blocks_ >= 2) fail("tar", "bytes follow the archive's end");
  header();
}

void Walk::header() {
  const std::string_view head(block_.data(), block_.size());
  if (head.substr(257, 5) != "ustar") fail("tar", "this is not a tar header");
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(head[i]);
  }
  if (octal(head.substr(148, 8)) != sum) fail("tar", "the checksum of a tar header is wrong");
  const char type = head[156];
  const auto size = octal(head.substr(124, 12));
  if (!size) fail("tar", "the size in a tar header is not an octal number");
  skip_ = (*size + kBlock - 1) / kBlock * kBlock;
  switch (type) {
    case 'x':
    case 'L':
      if (*size > kMaxExtension) fail("size", "a name header of more than 64 KiB");
      if (std::exchange(type == 'x' ? extended_ : long_name_, true))
        fail("tar", "two name headers stand before one member");
      return;
    case '1':
    case '2':
    case 'K':
      fail("link", "a link; only files and folders are taken");
    case '0':
    case '\0':
    case '5':
      return member(type);
    default:
      fail("type", fmt::format("a member of type {}; only files and folders are taken", canon::printable({&type, 1})));
  }
}

void Walk::member(char type) {
  extended_ = long_name_ = false;
  const std::uint64_t size = *octal(std::string_view(block_.data(), block_.size()).substr(124, 12));
  if (type == '5' && size != 0) fail("tar", "a folder with content");
  if (++count_ > limits_.max_members) fail("size", fmt::format("more than {} members", limits_.max_members));
  content_ += size;
  if (content_ > limits_.max_total_bytes)
    fail("size", fmt::format("more than {} bytes of content", limits_.max_total_bytes));
  members.push_back({type == '5' ? Type::folder : Type::file, position_, size});
}

void Walk::finish() const {
  if (is_complete()) return;
  throw fault::Error(codes_.code, "truncated",
                     fmt::format("the archive ends after {} bytes, before its end mark", position_), codes_.name,
                     "Copy the file again from where it came from and compare its SHA-256.");
}

}  // namespace stella::archive
