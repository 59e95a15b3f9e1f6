// SPDX-License-Identifier: Apache-2.0
// The forms in which a value may stand in a text: itself, its lines, base64 and base64url at three alignments, hex in
// both cases. Inside this room only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bundles/locked/bytes.hpp"
#include "vault/redaction/redactor.hpp"

namespace stella::redaction {

inline constexpr std::size_t kWindow = 8;  // the shortest form that is searched for inside other text

struct Form {
  enum class Kind { raw, encoded, whole_word };
  std::size_t offset, size;  // in the arena
  std::uint32_t name;        // index of the value
  Kind kind;
  bool shares_first, shares_last;  // the base64 character before / after it holds some bits of the value too
};

struct Forms {
  locked::Bytes arena;
  std::vector<Form> list;
  [[nodiscard]] std::string_view text(const Form& form) const noexcept {
    return arena.view().substr(form.offset, form.size);
  }
};

[[nodiscard]] Forms forms_of(std::span<const Value> values);

}  // namespace stella::redaction
