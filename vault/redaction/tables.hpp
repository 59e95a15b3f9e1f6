// SPDX-License-Identifier: Apache-2.0
// Looks at one position of a text: does a form begin here? Inside this room only; const after building, any thread.
//
// The first eight bytes of each form are an anchor. A position costs one load, one multiplication and one bit of a
// filter; only where the bit is set are anchors looked up and forms compared. An Aho-Corasick automaton over the forms
// would need a state per byte of every form, all of it secret and so all of it locked; this needs the forms, twelve
// bytes per anchor and the filter. Encoded forms have an anchor for each place where a line may break within the first
// eight characters.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "vault/redaction/forms.hpp"

namespace stella::redaction {

struct Look {
  enum class Found { nothing, form, undecided };  // undecided: the text ends before it can be known
  Found found = Found::nothing;
  std::size_t end = 0;
  const Form* form = nullptr;
};

enum class Ending { open, final };  // open: more text will follow

struct Patterns::Tables {
  explicit Tables(std::span<const Value> values);

  // The longest form that begins at `at`. What stands before `at` must be in `text`, unless it is the text's beginning.
  [[nodiscard]] Look look(std::string_view text, std::size_t at, Ending ending) const;
  // The first position from `at` on where look() could find something.
  [[nodiscard]] std::size_t skip(std::string_view text, std::size_t at) const noexcept;
  [[nodiscard]] std::size_t longest_find() const noexcept { return longest_find_; }
  [[nodiscard]] bool shares_first() const noexcept { return shares_first_; }

  std::vector<std::string> names;
  Forms forms;

 private:
  struct Anchor {
    std::uint64_t window;
    std::uint32_t form;
  };
  [[nodiscard]] std::span<const Anchor> anchors() const noexcept;
  [[nodiscard]] bool may_begin(std::uint64_t window) const noexcept;
  void add_anchors(std::span<Anchor> out);
  void look_at_anchors(std::string_view text, std::size_t at, Ending ending, Look& best) const;
  void look_at_words(std::string_view text, std::size_t at, Ending ending, Look& best) const;

  locked::Bytes anchor_bytes_, filter_;
  unsigned filter_shift_ = 48;
  std::vector<std::uint32_t> words_;  // forms found as whole words only
  std::bitset<256> word_starts_;
  std::size_t longest_find_ = 0;
  bool shares_first_ = false;
};

[[nodiscard]] bool is_base64(char c) noexcept;

}  // namespace stella::redaction
