// SPDX-License-Identifier: Apache-2.0
// Our own walk over a tar's blocks, beside libarchive's: where each member's content lies, that nothing but plain files
// and folders is in it, and that the end mark is there and nothing after it. libarchive 3.6 takes a missing end mark, a
// single zero block and whatever follows it for the end.
#pragma once

#include <array>
#include <deque>
#include <string_view>

#include "bundles/archive/tar.hpp"

namespace stella::archive {

struct Seen {
  Type type;
  std::uint64_t offset, size_bytes;
};

class Walk {
 public:
  Walk(const Codes& codes, Limits limits) : codes_(codes), limits_(limits) {}
  // Takes the stream in pieces of any size; throws reasons link, type, tar, size.
  void take(std::string_view bytes);
  // After the last piece; throws reason truncated.
  void finish() const;
  [[nodiscard]] bool is_complete() const noexcept { return zero_blocks_ >= 2 && filled_ == 0; }
  std::deque<Seen> members;  // what was seen and not yet taken out

 private:
  void block();
  void header();
  void member(char type);
  [[noreturn]] void fail(const char* reason, const std::string& what) const;

  Codes codes_;
  Limits limits_;
  std::array<char, 512> block_{};
  std::size_t filled_ = 0, count_ = 0;
  std::uint64_t position_ = 0, skip_ = 0, content_ = 0, zero_blocks_ = 0;
  bool extended_ = false, long_name_ = false;  // a pax or GNU name header waits for its member
};

}  // namespace stella::archive
