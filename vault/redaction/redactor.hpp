// SPDX-License-Identifier: Apache-2.0
// The one filter that every byte of step output passes before it touches disk, screen, error text or evidence.
// Finds each leased value and its base64 (three alignments), base64url and hex (both cases), across any split of
// the input, and puts `[redacted:NAME]` there. One redactor per stream, one thread.
#pragma once

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

// The compiled patterns of a set of values; shared by the streams of a step. Its tables live in locked memory.
class Patterns {
 public:
  explicit Patterns(std::span<const Value> values);
  ~Patterns();
  Patterns(Patterns&&) noexcept;
  [[nodiscard]] bool empty() const noexcept;
  // True when any value, in any of its forms, occurs in `text`: for outputs and artifact names.
  [[nodiscard]] bool occurs_in(std::string_view text) const;
  // Name and offset of the first hit, for scans of files.
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
  Redactor(const Patterns& patterns, std::function<void(std::string_view)> sink);
  void write(std::string_view bytes);  // passes on what can no longer be part of a value
  void finish();                       // passes on the rest
  [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }

 private:
  const Patterns* patterns_;
  std::function<void(std::string_view)> sink_;
  std::string held_;
  std::uint64_t hits_ = 0;
};

}  // namespace stella::redaction
