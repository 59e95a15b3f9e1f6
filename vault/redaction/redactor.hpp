// SPDX-License-Identifier: Apache-2.0
// The one filter that every byte of step output passes before it touches disk, screen, error text or evidence.
// Finds each leased value and its base64 (three alignments), base64url and hex (both cases), across any split of
// the input, and puts `[redacted:NAME]` there. One redactor per stream, one thread; Patterns may be shared.
//
// Each line of a multi-line value that has 8 bytes or more counts by itself. Encoded forms are found with line breaks
// in them (base64 and xxd wrap). Of the characters of base64 that hold only some bits of the value, those next to a
// find go with it. A value under 8 bytes is found in its own form only and only as a whole word: no letter, digit or
// `_` beside it. The longest form that begins leftmost gives the name; what overlaps it is covered too, so no remainder
// of a second value is left over. Text that holds none of these passes through byte for byte. Values, forms, tables and
// what is held back between writes are in locked memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/locked/bytes.hpp"

namespace stella::redaction {

struct Value {
  std::string name;
  const locked::Bytes* bytes;
};

// The compiled patterns of a set of values; shared by the streams of a step. Empty values are left out.
class Patterns {
 public:
  explicit Patterns(std::span<const Value> values);
  ~Patterns();
  Patterns(Patterns&&) noexcept;
  [[nodiscard]] bool empty() const noexcept;
  // True when any value, in any of its forms, occurs in `text`: for outputs and artifact names.
  [[nodiscard]] bool occurs_in(std::string_view text) const;
  // Name and offset of each find, for scans of files.
  struct Hit {
    std::string name;
    std::size_t offset;
  };
  [[nodiscard]] std::vector<Hit> find_all(std::string_view text) const;

 private:
  friend class Redactor;
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

class Redactor {
 public:
  Redactor(const Patterns& patterns, std::function<void(std::string_view)> sink);  // patterns must outlive it
  ~Redactor();
  Redactor(Redactor&&) noexcept;
  void write(std::string_view bytes);  // passes on what can no longer be part of a value
  void finish();                       // passes on the rest
  [[nodiscard]] std::uint64_t hits() const noexcept;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace stella::redaction
