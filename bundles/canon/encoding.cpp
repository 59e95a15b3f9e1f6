// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include "bundles/canon/digest.hpp"

namespace stella::canon {

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::vector<std::uint8_t> from_hex(std::string_view text, fault::Code code, const std::string& at) {
  const auto value = [&](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    throw fault::Error(code, "hex", "lower-case hex digits are needed here", at);
  };
  if (text.size() % 2 != 0) throw fault::Error(code, "hex", "an even number of hex digits is needed here", at);
  std::vector<std::uint8_t> out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(value(text[i]) * 16 + value(text[i + 1])));
  }
  return out;
}

std::string to_base64(std::span<const std::uint8_t> bytes) {
  std::string out(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();  // libsodium counts the terminating zero
  return out;
}

std::string to_base64(std::string_view bytes) {
  return to_base64(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::string from_base64(std::string_view text, fault::Code code, const std::string& at) {
  std::string out(text.size() / 4 * 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const bool good = text.size() % 4 == 0 &&
                    sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                                      text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL) == 0 &&
                    end == text.data() + text.size();
  if (good) out.resize(size);
  // Encoding again settles stray low bits and every other second spelling of the same bytes.
  if (!good || to_base64(out) != text) throw fault::Error(code, "base64", "this is not canonical base64", at);
  return out;
}

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> noise(bytes);
  if (sodium_init() < 0) throw fault::Error(fault::Code::internal, "sodium", "libsodium could not be initialised");
  randombytes_buf(noise.data(), noise.size());
  return to_hex(noise);
}

}  // namespace stella::canon
