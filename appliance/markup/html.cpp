// SPDX-License-Identifier: Apache-2.0
#include "appliance/markup/html.hpp"

#include <fmt/format.h>

#include "bundles/canon/fields.hpp"

namespace stella::markup {
namespace {

void escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F || static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// Lines and tabs stay what they are, all else that cannot be seen is written out.
std::string seen(std::string_view text) {
  std::string out;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("\n\t", from), text.size());
    out += canon::printable(text.substr(from, end - from), text.size());
    if (end < text.size()) out += text[end];
    from = end + 1;
  }
  return out;
}

void escape_seen(std::string& out, std::string_view text) {
  if (is_plain(text)) return escape(out, text);
  escape(out, seen(text));
}

bool is_address(std::string_view name) {
  return name == "href" || name == "src" || name == "action" || name == "data" || name == "poster" || name == "cite";
}
// A browser reads `\` as `/`, leaves out tabs and newlines, and takes `//host` for another origin.
bool stays_here(std::string_view address) {
  if (address.empty() || address.find_first_of("\\\t\r\n") != std::string_view::npos) return false;
  if (address[0] == '#' || address[0] == '?') return true;
  return address[0] == '/' && (address.size() == 1 || address[1] != '/');
}

bool is_void(std::string_view tag) {
  return is_among(tag, {"meta", "link", "input", "br", "hr", "img", "col", "wbr"});
}

bool is_left_out(const Attribute& attribute) {
  return !attribute.present || (is_address(attribute.name.name()) && !stays_here(attribute.value));
}

bool has_source(Attributes attributes) {
  for (const Attribute& one : attributes) {
    if (one.name.name() == "src" && !is_left_out(one)) return true;
  }
  return false;
}

}  // namespace

Attribute Attribute::when(Name name, std::string_view value, bool present) {
  Attribute made(name, value);
  made.present = present;
  return made;
}

Html::Html(std::string_view text) {
  escape_seen(bytes_, text);
}
Html::Html(const std::string& text) : Html(std::string_view(text)) {}
Html::Html(const char* text) : Html(std::string_view(text)) {}

Html element(Tag tag, Attributes attributes, const Html& content) {
  // A script is a file of ours and nothing else: never code on the page.
  const bool is_script = tag.name() == "script";
  if (is_script && !has_source(attributes)) return {};
  Html made;
  std::string& out = made.bytes_;
  out.reserve(content.bytes_.size() + 64);
  out += '<';
  out += tag.name();
  for (const Attribute& one : attributes) {
    if (is_left_out(one)) continue;
    out += ' ';
    out += one.name.name();
    if (one.value.empty()) {
      out += "=\"\"";
      continue;
    }
    out += "=\"";
    escape_seen(out, one.value);
    out += '"';
  }
  out += '>';
  if (is_void(tag.name())) return made;
  if (!is_script) out += content.bytes_;
  out += "</";
  out += tag.name();
  out += '>';
  return made;
}

Html document(const Html& html) {
  Html made;
  made.bytes_ = "<!doctype html>\n" + html.bytes_ + "\n";
  return made;
}

std::string url_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace stella::markup
