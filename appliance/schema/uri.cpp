// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/uri.hpp"

#include <algorithm>

#include "appliance/schema/address.hpp"

namespace stella::schema {
namespace {

constexpr std::string_view kUnreserved = "-._~", kSubDelimiters = "!$&'()*+,;=";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Unreserved, sub-delimiters, whole percent escapes, and what `more` lists.
bool is_made_of(std::string_view text, std::string_view more) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
      i += 2;
    } else if (!is_letter(c) && !is_digit(c) && kUnreserved.find(c) == std::string_view::npos &&
               kSubDelimiters.find(c) == std::string_view::npos && more.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool is_authority(std::string_view text) {
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (!is_made_of(text.substr(0, at), ":")) return false;
    text.remove_prefix(at + 1);
  }
  if (!text.starts_with('[')) {
    const auto colon = text.rfind(':');
    const std::string_view port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    return is_made_of(text.substr(0, colon), "") && std::ranges::all_of(port, is_digit);
  }
  const auto close = text.find(']');
  if (close == std::string_view::npos) return false;
  const std::string_view inner = text.substr(1, close - 1), after = text.substr(close + 1);
  const bool is_future = inner.size() > 3 && (inner[0] == 'v' || inner[0] == 'V') &&
                         inner.find('.') != std::string_view::npos && is_made_of(inner, ":");
  if (!is_future && !is_ipv6(inner)) return false;
  return after.empty() || (after[0] == ':' && std::ranges::all_of(after.substr(1), is_digit));
}

bool is_well_formed(const Uri& uri) {
  if (uri.scheme &&
      (uri.scheme->empty() || !is_letter(uri.scheme->front()) || !std::ranges::all_of(*uri.scheme, [](char c) {
         return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
       })))
    return false;
  if (uri.authority && !is_authority(*uri.authority)) return false;
  if (!is_made_of(uri.path, ":@/")) return false;
  if (uri.query && !is_made_of(*uri.query, ":@/?")) return false;
  return !uri.fragment || is_made_of(*uri.fragment, ":@/?");
}

// RFC 3986 section 5.2.4.
std::string without_dots(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    if (in.starts_with("../")) {
      in.remove_prefix(3);
    } else if (in.starts_with("./") || in.starts_with("/./")) {
      in.remove_prefix(2);
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../") || in == "/..") {
      in = in == "/.." ? std::string_view("/") : in.substr(3);
      out.resize(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
    } else if (in == "." || in == "..") {
      in = {};
    } else {
      const auto end = std::min(in.find('/', 1), in.size());
      out += in.substr(0, end);
      in.remove_prefix(end);
    }
  }
  return out;
}

std::string merged(const Uri& base, const std::string& path) {
  if (base.authority && base.path.empty()) return "/" + path;
  const auto slash = base.path.rfind('/');
  return slash == std::string::npos ? path : base.path.substr(0, slash + 1) + path;
}

}  // namespace

std::string Uri::text() const {
  std::string out;
  if (scheme) out += *scheme + ":";
  if (authority) out += "//" + *authority;
  out += path;
  if (query) out += "?" + *query;
  if (fragment) out += "#" + *fragment;
  return out;
}

Uri split_uri(std::string_view text) {
  Uri uri;
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    uri.fragment = std::string(text.substr(hash + 1));
    text = text.substr(0, hash);
  }
  if (const auto mark = text.find('?'); mark != std::string_view::npos) {
    uri.query = std::string(text.substr(mark + 1));
    text = text.substr(0, mark);
  }
  const auto end = text.find_first_of(":/");
  if (end != std::string_view::npos && end > 0 && text[end] == ':') {
    uri.scheme = std::string(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (text.starts_with("//")) {
    const auto slash = std::min(text.find('/', 2), text.size());
    uri.authority = std::string(text.substr(2, slash - 2));
    text.remove_prefix(slash);
  }
  uri.path = std::string(text);
  return uri;
}

Uri resolve_uri(const Uri& base, const Uri& reference) {
  Uri made = reference;
  if (reference.scheme || reference.authority) {
    made.path = without_dots(reference.path);
  } else if (reference.path.empty()) {
    made.path = base.path;
    if (!reference.query) made.query = base.query;
  } else {
    made.path = without_dots(reference.path.starts_with('/') ? reference.path : merged(base, reference.path));
  }
  if (!reference.scheme) {
    made.scheme = base.scheme;
    if (!reference.authority) made.authority = base.authority;
  }
  return made;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return std::nullopt;
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

bool is_uri(std::string_view text) {
  const Uri uri = split_uri(text);
  return uri.scheme && is_well_formed(uri);
}

bool is_uri_reference(std::string_view text) {
  return is_well_formed(split_uri(text));
}

}  // namespace stella::schema
