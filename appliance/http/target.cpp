// SPDX-License-Identifier: Apache-2.0
#include "appliance/http/target.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::http {
namespace {

using fault::Code;
using fault::Error;

enum class Plus { plain, space };

Error refusal(const std::string& reason, const std::string& what) {
  return {Code::usage, reason, what, {}, "Send a well-formed request; see docs/formats/http.md."};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decode(std::string_view text, Plus plus, const std::string& reason) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);
      if (low < 0) throw refusal(reason, "a percent sign is not followed by two hex digits");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += c == '+' && plus == Plus::space ? ' ' : c;
    }
  }
  if (!canon::is_utf8(out)) throw refusal(reason, "the decoded text is not UTF-8");
  return out;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string decode_segment(std::string_view raw) {
  std::string segment = decode(raw, Plus::plain, "target");
  if (segment.empty() || segment == "." || segment == "..") throw refusal("target", "a path segment is empty or dots");
  if (has_control(segment) || segment.find_first_of("/\\") != std::string::npos)
    throw refusal("target", "a path segment holds a slash or a control character");
  return segment;
}

Pairs decode_pairs(std::string_view text, const std::string& reason) {
  Pairs pairs;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    if (one.empty()) continue;
    if (pairs.size() >= kMaxPairs) throw refusal(reason, fmt::format("more than {} fields", kMaxPairs));
    const auto equals = std::min(one.find('='), one.size());
    pairs.emplace_back(decode(one.substr(0, equals), Plus::space, reason),
                       decode(one.substr(std::min(equals + 1, one.size())), Plus::space, reason));
  }
  return pairs;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// name="value" in a header's parameters; quotes may be left out. Backslashes are refused: no browser sends them.
std::string parameter(std::string_view header, std::string_view wanted) {
  for (auto semi = header.find(';'); semi != std::string_view::npos; semi = header.find(';')) {
    header.remove_prefix(semi + 1);
    const auto equals = header.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string name = lower(trim(header.substr(0, equals)));
    header.remove_prefix(equals + 1);
    std::string_view value;
    if (header.starts_with('"')) {
      const auto end = header.find('"', 1);
      if (end == std::string_view::npos) throw refusal("form", "a quoted parameter does not end");
      value = header.substr(1, end - 1);
      header.remove_prefix(end + 1);
    } else {
      value = trim(header.substr(0, header.find(';')));
    }
    if (value.find('\\') != std::string_view::npos) throw refusal("form", "a parameter holds a backslash");
    if (name == wanted) return std::string(value);
  }
  return {};
}

Part parse_part(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || end > 4096) throw refusal("form", "a part has no end of its headers");
  std::string_view heads = text.substr(0, end + 2);
  Part part;
  part.bytes = text.substr(end + 4);
  while (!heads.empty()) {
    const auto line_end = heads.find("\r\n");
    const std::string_view line = heads.substr(0, line_end);
    heads.remove_prefix(line_end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) throw refusal("form", "a part's header has no colon");
    if (lower(line.substr(0, colon)) != "content-disposition") continue;
    const std::string_view value = trim(line.substr(colon + 1));
    if (media_type(value) != "form-data") throw refusal("form", "a part is no form-data");
    part.name = parameter(value, "name");
    part.file_name = parameter(value, "filename");
  }
  if (part.name.empty() || !canon::is_utf8(part.name) || !canon::is_utf8(part.file_name))
    throw refusal("form", "a part has no proper name");
  return part;
}

}  // namespace

std::optional<std::string> find_pair(const Pairs& pairs, std::string_view name) {
  std::optional<std::string> found;
  for (const auto& [key, value] : pairs) {
    if (key != name) continue;
    if (found) throw refusal("twice", fmt::format("{} is given twice", name));
    found = value;
  }
  return found;
}

Target parse_target(std::string_view text) {
  if (text.empty() || text.size() > kMaxTarget || text.front() != '/')
    throw refusal("target", fmt::format("a target begins with / and has at most {} bytes", kMaxTarget));
  const bool plain = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!plain) throw refusal("target", "a target holds printable ASCII only");
  const auto mark = std::min(text.find('?'), text.size());
  Target target;
  target.path = std::string(text.substr(0, mark));
  target.query = decode_pairs(text.substr(std::min(mark + 1, text.size())), "target");
  for (const auto& [name, value] : target.query) {
    if (has_control(name) || has_control(value)) throw refusal("target", "a query holds a control character");
  }
  std::string_view rest = std::string_view(target.path).substr(1);
  while (!rest.empty()) {
    const std::string_view raw = rest.substr(0, rest.find('/'));
    target.segments.push_back(decode_segment(raw));
    if (raw.size() + 1 == rest.size()) throw refusal("target", "a path ends with a slash");
    rest.remove_prefix(std::min(raw.size() + 1, rest.size()));
  }
  return target;
}

Pairs parse_form(std::string_view body) {
  return decode_pairs(body, "form");
}

std::optional<std::string> find_cookie(std::string_view header, std::string_view name) {
  std::optional<std::string> found;
  while (!header.empty()) {
    const std::string_view one = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(one.size() + 1, header.size()));
    const std::string_view pair = trim(one);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (pair.substr(0, equals) != name) continue;
    if (found) return std::nullopt;
    found = std::string(pair.substr(equals + 1));
  }
  return found;
}

std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body) {
  const std::string boundary = parameter(content_type, "boundary");
  if (media_type(content_type) != "multipart/form-data" || boundary.empty() || boundary.size() > 70)
    throw refusal("form", "the form names no boundary");
  const std::string first = "--" + boundary, between = "\r\n--" + boundary;
  if (!body.starts_with(first)) throw refusal("form", "the form does not begin with its boundary");
  body.remove_prefix(first.size());
  std::vector<Part> parts;
  while (body.starts_with("\r\n")) {
    body.remove_prefix(2);
    const auto end = body.find(between);
    if (end == std::string_view::npos) throw refusal("form", "a part does not end");
    if (parts.size() >= kMaxParts) throw refusal("form", fmt::format("more than {} parts", kMaxParts));
    parts.push_back(parse_part(body.substr(0, end)));
    body.remove_prefix(end + between.size());
  }
  if (!body.starts_with("--")) throw refusal("form", "the form does not end with its boundary");
  return parts;
}

std::string media_type(std::string_view content_type) {
  return lower(trim(content_type.substr(0, content_type.find(';'))));
}

std::string escape_segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace stella::http
