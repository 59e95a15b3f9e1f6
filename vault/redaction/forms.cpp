// SPDX-License-Identifier: Apache-2.0
#include "vault/redaction/forms.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace stella::redaction {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

// Itself, two alphabets of base64 at three alignments, hex twice: never more than this for a piece of n bytes.
constexpr std::size_t arena_bytes(std::size_t n) {
  return n + 6 * (n * 4 / 3 + 2) + 2 * 2 * n;
}

class Writer {
 public:
  Writer(Forms& forms, std::uint32_t name) : forms_(&forms), name_(name) {}

  void add_piece(std::string_view piece) {
    if (piece.size() < kWindow) return;
    piece_start_ = forms_->list.size();
    add_raw(piece, Form::Kind::raw);
    for (const auto alphabet : {kBase64, kBase64Url})
      for (std::size_t alignment = 0; alignment < 3; ++alignment) add_base64(piece, alignment, alphabet);
    for (const auto digits : {kLowerHex, kUpperHex}) add_hex(piece, digits);
  }

  void add_raw(std::string_view piece, Form::Kind kind) {
    const auto start = used();
    std::memcpy(forms_->arena.data() + start, piece.data(), piece.size());
    finish(start, piece.size(), kind, false, false);
  }

 private:
  [[nodiscard]] std::size_t used() const {
    return forms_->list.empty() ? 0 : forms_->list.back().offset + forms_->list.back().size;
  }

  // A form that equals one of the same piece (base64url without - and _) would only cost time.
  void finish(std::size_t offset, std::size_t size, Form::Kind kind, bool shares_first, bool shares_last) {
    const Form form{offset, size, name_, kind, shares_first, shares_last};
    const auto same_piece = std::span(forms_->list).subspan(piece_start_);
    const bool is_known = std::ranges::any_of(same_piece, [&](const Form& other) {
      return other.size == size && other.shares_first == shares_first && forms_->text(other) == forms_->text(form);
    });
    if (!is_known) forms_->list.push_back(form);
  }

  // Only the characters that are made of the value's bits alone; `alignment` bytes of something else stand before it.
  void add_base64(std::string_view piece, std::size_t alignment, std::string_view alphabet) {
    const auto first_bit = 8 * alignment, end_bit = first_bit + 8 * piece.size();
    const auto first = (first_bit + 5) / 6, end = end_bit / 6;
    const auto bit = [&](std::size_t at) {
      const auto byte = static_cast<std::uint8_t>(piece[(at - first_bit) / 8]);
      return (byte >> (7 - (at - first_bit) % 8)) & 1U;
    };
    const auto start = used();
    for (auto character = first; character < end; ++character) {
      unsigned value = 0;
      for (std::size_t i = 0; i < 6; ++i) value = value << 1 | bit(6 * character + i);
      forms_->arena.data()[start + character - first] = static_cast<std::uint8_t>(alphabet[value]);
    }
    finish(start, end - first, Form::Kind::encoded, first_bit % 6 != 0, end_bit % 6 != 0);
  }

  void add_hex(std::string_view piece, std::string_view digits) {
    const auto start = used();
    auto* out = forms_->arena.data() + start;
    for (const char c : piece) {
      const auto byte = static_cast<std::uint8_t>(c);
      *out++ = static_cast<std::uint8_t>(digits[byte >> 4]);
      *out++ = static_cast<std::uint8_t>(digits[byte & 15]);
    }
    finish(start, 2 * piece.size(), Form::Kind::encoded, false, false);
  }

  Forms* forms_;
  std::uint32_t name_;
  std::size_t piece_start_ = 0;
};

// The value, and its lines when it has several; the views lie in the value's own locked memory.
std::vector<std::string_view> pieces_of(std::string_view value) {
  std::vector<std::string_view> pieces{value};
  for (std::size_t start = 0; start < value.size();) {
    const auto end = std::min(value.find('\n', start), value.size());
    auto line = value.substr(start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() >= kWindow && std::ranges::find(pieces, line) == pieces.end()) pieces.push_back(line);
    start = end + 1;
  }
  return pieces;
}

}  // namespace

Forms forms_of(std::span<const Value> values) {
  std::size_t total = 0;
  for (const auto& value : values)
    for (const auto piece : pieces_of(value.bytes->view())) total += arena_bytes(piece.size());
  Forms forms{.arena = locked::Bytes(total), .list = {}};
  for (std::uint32_t name = 0; name < values.size(); ++name) {
    const auto view = values[name].bytes->view();
    Writer writer(forms, name);
    if (view.empty()) continue;
    if (view.size() < kWindow) {
      writer.add_raw(view, Form::Kind::whole_word);
      continue;
    }
    for (const auto piece : pieces_of(view)) writer.add_piece(piece);
  }
  return forms;
}

}  // namespace stella::redaction
