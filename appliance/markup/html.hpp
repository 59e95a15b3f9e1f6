// SPDX-License-Identifier: Apache-2.0
// HTML and SVG that cannot hold what nobody meant. Pure; any thread.
//
// An Html can only be made from text, which is escaped, from elements whose tag and attribute names are literals of
// this program, and from other Htmls: there is no way from a string to markup. Tags that run or load something of their
// own (script without a source of ours, style, iframe, ...) and attributes that hold code (on..., style, srcdoc) do
// not compile. An address must stay on this origin: `/path`, `?query` or `#fragment`; any other is left out.
//
// Text is shown as it can be seen: control, bidi and zero-width characters and invalid UTF-8 come out as \u{NNNN} or
// \xNN, so that no text changes how the text beside it reads.
// Source: WHATWG HTML, sections 13.1.2 "Elements" and 13.3 "Serializing HTML fragments".
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace stella::markup {

// Ends the compilation when it is reached there.
inline void refuse_name() {}

constexpr bool is_name(std::string_view name) {
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-') return false;
  }
  return !name.empty();
}
constexpr bool is_among(std::string_view name, std::initializer_list<std::string_view> list) {
  for (const std::string_view one : list) {
    if (one == name) return true;
  }
  return false;
}

class Tag {
 public:
  consteval Tag(const char* name) : name_(name) {  // NOLINT: a literal stands for its tag
    if (!is_name(name_) || is_among(name_, {"style", "iframe", "frame", "object", "embed", "applet", "base", "template",
                                            "noscript", "plaintext", "xmp", "foreignObject", "animate", "set"}))
      refuse_name();
  }
  [[nodiscard]] constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

class Name {
 public:
  consteval Name(const char* name) : name_(name) {  // NOLINT: a literal stands for its attribute
    if (!is_name(name_) || name_.substr(0, 2) == "on" || is_among(name_, {"style", "srcdoc", "formaction", "ping"}))
      refuse_name();
  }
  [[nodiscard]] constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

struct Attribute {
  Attribute(Name its_name, std::string_view its_value) : name(its_name), value(its_value) {}
  Attribute(Name its_name, const std::string& its_value) : name(its_name), value(its_value) {}
  Attribute(Name its_name, const char* its_value) : name(its_name), value(its_value) {}
  template <std::integral Number>
  Attribute(Name its_name, Number number) : name(its_name), value(std::to_string(number)) {}
  // Only while `present`: `open`, `hidden`, `disabled`, ...
  static Attribute flag(Name name, bool present) { return when(name, "", present); }
  static Attribute when(Name name, std::string_view value, bool present);

  Name name;
  std::string value;
  bool present = true;
};
using Attributes = std::initializer_list<Attribute>;

class Html {
 public:
  Html() = default;
  Html(std::string_view text);    // NOLINT: text becomes escaped text
  Html(const std::string& text);  // NOLINT
  Html(const char* text);         // NOLINT
  Html& operator+=(const Html& more) {
    bytes_ += more.bytes_;
    return *this;
  }
  friend Html operator+(Html one, const Html& two) { return std::move(one += two); }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

 private:
  friend Html element(Tag tag, Attributes attributes, const Html& content);
  friend Html document(const Html& html);
  std::string bytes_;
};

[[nodiscard]] Html element(Tag tag, Attributes attributes, const Html& content);
template <class... More>
[[nodiscard]] Html element(Tag tag, Attributes attributes, const Html& first, const Html& second, const More&... more) {
  Html content = first;
  content += second;
  ((content += Html(more)), ...);
  return element(tag, attributes, content);
}
[[nodiscard]] inline Html element(Tag tag, Attributes attributes = {}) {
  return element(tag, attributes, Html());
}

// With its doctype.
[[nodiscard]] Html document(const Html& html);

// One part of an address: everything but RFC 3986's unreserved characters as %NN.
[[nodiscard]] std::string url_part(std::string_view text);

}  // namespace stella::markup
