// SPDX-License-Identifier: Apache-2.0
#include "vault/redaction/tables.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace stella::redaction {
namespace {

constexpr std::size_t kAnchorsPerEncoded = 1 + 2 * (kWindow - 1);  // unbroken; \n or \r\n after 1..7 characters

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Numbers in this order sort as their bytes do, so that what begins alike stands together.
std::uint64_t in_text_order(std::uint64_t window) noexcept {
  return std::endian::native == std::endian::little ? __builtin_bswap64(window) : window;
}

std::uint64_t load(const char* bytes) noexcept {
  std::uint64_t window = 0;
  std::memcpy(&window, bytes, kWindow);
  return in_text_order(window);
}

// The smallest window that begins with `text`, of one to seven bytes.
std::uint64_t least_from(std::string_view text) noexcept {
  std::uint64_t window = 0;
  std::memcpy(&window, text.data(), text.size());
  return in_text_order(window);
}

// The first eight bytes of a form that has a line break after `before` characters. Written in place: it is part of a
// secret and must stay in locked memory.
void write_broken(std::uint64_t& window, std::string_view text, std::string_view line_break, std::size_t before) {
  auto* bytes = reinterpret_cast<char*>(&window);
  const auto in_break = std::min(line_break.size(), kWindow - before);
  const auto after = before + in_break;
  std::memcpy(bytes, text.data(), before);
  std::memcpy(bytes + before, line_break.data(), in_break);
  std::memcpy(bytes + after, text.data() + before, kWindow - after);
  window = in_text_order(window);
}

enum class Fit { none, whole, cut };
struct Compared {
  Fit fit;
  std::size_t end;
};

Compared compare_raw(std::string_view form, std::string_view text, std::size_t at) noexcept {
  const auto have = std::min(form.size(), text.size() - at);
  if (std::memcmp(form.data(), text.data() + at, have) != 0) return {Fit::none, at};
  return {have == form.size() ? Fit::whole : Fit::cut, at + have};
}

// As raw, but one line break may stand between any two characters.
Compared compare_encoded(std::string_view form, std::string_view text, std::size_t at) noexcept {
  auto from = at;
  bool after_break = true;  // none before the first character
  for (std::size_t i = 0; i < form.size();) {
    if (from == text.size()) return {Fit::cut, from};
    if (text[from] == form[i]) {
      ++i;
      ++from;
      after_break = false;
      continue;
    }
    if (after_break) return {Fit::none, at};
    if (text[from] == '\r') {
      if (++from == text.size()) return {Fit::cut, from};
    }
    if (text[from] != '\n') return {Fit::none, at};
    ++from;
    after_break = true;
  }
  return {Fit::whole, from};
}

}  // namespace

bool is_base64(char c) noexcept {
  return is_word(c) || c == '+' || c == '/' || c == '-';
}

Patterns::Tables::Tables(std::span<const Value> values) : forms(forms_of(values)) {
  for (const auto& value : values) names.push_back(value.name);
  std::size_t count = 0;
  for (const auto& form : forms.list) {
    if (form.kind != Form::Kind::whole_word) count += form.kind == Form::Kind::encoded ? kAnchorsPerEncoded : 1;
    // Encoded forms may have two bytes of line break after each character; then one shared character.
    longest_find_ = std::max(longest_find_, form.kind == Form::Kind::encoded ? 3 * form.size + 1 : form.size + 1);
    shares_first_ = shares_first_ || form.shares_first;
  }
  for (std::uint32_t i = 0; i < forms.list.size(); ++i) {
    if (forms.list[i].kind != Form::Kind::whole_word) continue;
    words_.push_back(i);
    word_starts_.set(static_cast<unsigned char>(forms.text(forms.list[i]).front()));
  }
  anchor_bytes_ = locked::Bytes(count * sizeof(Anchor));
  // Sixteen bits a window keep false alarms under one in sixteen; 2^16 bits stay in the first-level cache.
  const auto bits = std::bit_ceil(std::max<std::size_t>(std::size_t{1} << 16, count * 16));
  filter_ = locked::Bytes(bits / 8);
  filter_shift_ = 64U - static_cast<unsigned>(std::countr_zero(bits));
  // libsodium puts a block's end at the end of a page: its start is aligned because all anchors are multiples of 16.
  static_assert(sizeof(Anchor) == 16);
  add_anchors({reinterpret_cast<Anchor*>(anchor_bytes_.data()), count});
}

void Patterns::Tables::add_anchors(std::span<Anchor> out) {
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < forms.list.size(); ++i) {
    const auto& form = forms.list[i];
    if (form.kind == Form::Kind::whole_word) continue;
    const auto text = forms.text(form);
    out[next++] = {load(text.data()), i};
    if (form.kind != Form::Kind::encoded) continue;
    for (const std::string_view line_break : {"\n", "\r\n"})
      for (std::size_t before = 1; before < kWindow; ++before) {
        write_broken(out[next].window, text, line_break, before);
        out[next++].form = i;
      }
  }
  std::ranges::sort(out, {}, &Anchor::window);
  for (const auto& anchor : out) {
    const auto bit = anchor.window * 0x9E3779B97F4A7C15ULL >> filter_shift_;
    filter_.data()[bit / 8] = static_cast<std::uint8_t>(filter_.data()[bit / 8] | 1U << bit % 8);
  }
}

std::span<const Patterns::Tables::Anchor> Patterns::Tables::anchors() const noexcept {
  return {reinterpret_cast<const Anchor*>(anchor_bytes_.data()), anchor_bytes_.size() / sizeof(Anchor)};
}

bool Patterns::Tables::may_begin(std::uint64_t window) const noexcept {
  const auto bit = window * 0x9E3779B97F4A7C15ULL >> filter_shift_;
  return (filter_.data()[bit / 8] >> bit % 8 & 1U) != 0;
}

// The filter's address and shift stand in registers: through `this` they are loaded anew for every byte.
std::size_t Patterns::Tables::skip(std::string_view text, std::size_t at) const noexcept {
  const std::uint8_t* filter = filter_.data();
  const unsigned shift = filter_shift_;
  const auto begins = [filter, shift](const char* bytes) {
    const auto bit = load(bytes) * 0x9E3779B97F4A7C15ULL >> shift;
    return (filter[bit / 8] >> bit % 8 & 1U) != 0;
  };
  if (!words_.empty()) {
    while (at + kWindow <= text.size() && !begins(text.data() + at) &&
           !word_starts_.test(static_cast<unsigned char>(text[at])))
      ++at;
    return at;
  }
  while (at + kWindow <= text.size() && !begins(text.data() + at)) ++at;
  return at;
}

void Patterns::Tables::look_at_anchors(std::string_view text, std::size_t at, Ending ending, Look& best) const {
  const auto left = text.size() - at;
  if (left < kWindow) {
    if (ending == Ending::final) return;
    const std::uint64_t least = least_from(text.substr(at)), rest = ~std::uint64_t{0} >> 8 * left;
    const auto found = std::ranges::lower_bound(anchors(), least, {}, &Anchor::window);
    if (found != anchors().end() && found->window <= (least | rest)) best.found = Look::Found::undecided;
    return;
  }
  const auto window = load(text.data() + at);
  if (!may_begin(window)) return;
  // Not equal_range: clang 14 cannot read the one of libstdc++ 12.
  const auto all = anchors();
  for (auto one = std::ranges::lower_bound(all, window, {}, &Anchor::window); one != all.end() && one->window == window;
       ++one) {
    const auto& anchor = *one;
    const auto& form = forms.list[anchor.form];
    auto compared = form.kind == Form::Kind::encoded ? compare_encoded(forms.text(form), text, at)
                                                     : compare_raw(forms.text(form), text, at);
    if (compared.fit == Fit::none) continue;
    if (compared.fit == Fit::whole && form.shares_last) {
      if (compared.end == text.size())
        compared.fit = ending == Ending::open ? Fit::cut : Fit::whole;
      else if (is_base64(text[compared.end]))
        ++compared.end;
    }
    if (compared.fit == Fit::cut) {
      if (ending == Ending::open) best.found = Look::Found::undecided;
    } else if (best.form == nullptr || compared.end > best.end) {
      best.form = &form;
      best.end = compared.end;
    }
  }
}

void Patterns::Tables::look_at_words(std::string_view text, std::size_t at, Ending ending, Look& best) const {
  if (words_.empty() || !word_starts_.test(static_cast<unsigned char>(text[at]))) return;
  for (const auto index : words_) {
    const auto& form = forms.list[index];
    const auto word = forms.text(form);
    const auto compared = compare_raw(word, text, at);
    if (compared.fit == Fit::none || (at > 0 && is_word(text[at - 1]) && is_word(word.front()))) continue;
    if (compared.end == text.size()) {
      if (ending == Ending::open) best.found = Look::Found::undecided;
      if (ending == Ending::open || compared.fit == Fit::cut) continue;
    } else if (is_word(text[compared.end]) && is_word(word.back())) {
      continue;
    }
    if (best.form == nullptr || compared.end > best.end) {
      best.form = &form;
      best.end = compared.end;
    }
  }
}

Look Patterns::Tables::look(std::string_view text, std::size_t at, Ending ending) const {
  Look best;
  look_at_anchors(text, at, ending, best);
  look_at_words(text, at, ending, best);
  if (best.found != Look::Found::undecided && best.form != nullptr) best.found = Look::Found::form;
  return best;
}

}  // namespace stella::redaction
