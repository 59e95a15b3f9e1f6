// SPDX-License-Identifier: Apache-2.0
#include "bundles/trust/pem.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

namespace stella::trust {
namespace {

constexpr int kStandard = sodium_base64_VARIANT_ORIGINAL;

// Takes one line with its newline off the front; nullopt when there is no whole line left.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The base64 between the two marks, without line ends.
std::optional<locked::Bytes> find_body(std::string_view label, std::string_view text) {
  if (text.size() > 8192) return std::nullopt;
  if (take_line(text) != fmt::format("-----BEGIN {}-----", label)) return std::nullopt;
  const std::string last = fmt::format("-----END {}-----", label);
  locked::Bytes body(text.size());
  std::size_t used = 0;
  for (;;) {
    const std::optional<std::string_view> line = take_line(text);
    if (!line || line->size() > 64) return std::nullopt;
    if (*line == last) break;
    std::copy(line->begin(), line->end(), body.data() + used);
    used += line->size();
  }
  if (!text.empty()) return std::nullopt;
  body.shrink(used);
  return body;
}

std::optional<locked::Bytes> decode(const locked::Bytes& base64) {
  locked::Bytes out(base64.size() / 4 * 3);
  std::size_t size = 0;
  const char* end = nullptr;
  const std::string_view text = base64.view();
  if (text.size() % 4 != 0 ||
      sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, &end, kStandard) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  out.shrink(size);
  return out;
}

locked::Bytes encode(std::string_view label, std::string_view der) {
  locked::Bytes base64(sodium_base64_encoded_len(der.size(), kStandard));
  sodium_bin2base64(reinterpret_cast<char*>(base64.data()), base64.size(),
                    reinterpret_cast<const unsigned char*>(der.data()), der.size(), kStandard);
  base64.shrink(base64.size() - 1);  // libsodium counts the terminating zero
  const std::string first = fmt::format("-----BEGIN {}-----\n", label), last = fmt::format("-----END {}-----\n", label);
  locked::Bytes out(first.size() + last.size() + base64.size() + (base64.size() + 63) / 64);
  std::uint8_t* to = std::copy(first.begin(), first.end(), out.data());
  for (std::string_view rest = base64.view(); !rest.empty();
       rest.remove_prefix(std::min<std::size_t>(64, rest.size()))) {
    const std::string_view line = rest.substr(0, 64);
    to = std::copy(line.begin(), line.end(), to);
    *to++ = '\n';
  }
  std::copy(last.begin(), last.end(), to);
  return out;
}

}  // namespace

std::string write_pem(std::string_view label, std::string_view der) {
  return std::string(encode(label, der).view());
}

locked::Bytes write_secret_pem(std::string_view label, const locked::Bytes& der) {
  return encode(label, der.view());
}

std::optional<locked::Bytes> find_secret_pem(std::string_view label, const locked::Bytes& text) {
  const std::optional<locked::Bytes> body = find_body(label, text.view());
  if (!body) return std::nullopt;
  return decode(*body);
}

std::optional<std::string> find_pem(std::string_view label, std::string_view text) {
  const std::optional<locked::Bytes> der = find_secret_pem(label, locked::Bytes::copy_of(text.substr(0, 8193)));
  if (!der) return std::nullopt;
  return std::string(der->view());
}

}  // namespace stella::trust
