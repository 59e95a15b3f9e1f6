// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/dns.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

#include "appliance/sandbox/witness.hpp"

namespace stella::sandbox {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint32_t kTimeToLive = 60;
constexpr std::size_t kMostAnswers = 24;  // fits 512 bytes without EDNS

std::uint16_t at16(std::span<const std::uint8_t> bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

void put16(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void add_character(std::string& name, std::uint8_t byte) {
  if (std::isalnum(byte) != 0 || byte == '-' || byte == '_') {
    name += static_cast<char>(std::tolower(byte));
    return;
  }
  constexpr const char* kDigits = "0123456789";
  name += {'\\', kDigits[byte / 100], kDigits[byte / 10 % 10], kDigits[byte % 10]};
}

// Reads labels from `offset`, which ends behind them. No compression: a question comes first and has nothing to point
// to.
std::optional<std::string> read_name(std::span<const std::uint8_t> message, std::size_t& offset) {
  std::string name;
  const std::size_t start = offset;
  while (offset < message.size()) {
    const std::uint8_t length = message[offset++];
    if (length == 0) return name;
    if (length > 63 || offset + length > message.size() || offset + length - start > 255) return std::nullopt;
    if (!name.empty()) name += '.';
    for (std::size_t i = 0; i < length; ++i) add_character(name, message[offset + i]);
    offset += length;
  }
  return std::nullopt;
}

QuestionType type_of(std::uint16_t type) {
  switch (type) {
    case 1:
      return QuestionType::a;
    case 12:
      return QuestionType::ptr;
    case 28:
      return QuestionType::aaaa;
    default:
      return QuestionType::other;
  }
}

void put_head(std::vector<std::uint8_t>& out, unsigned type, unsigned size) {
  put16(out, 0xc00c);  // the name of the question
  put16(out, type);
  put16(out, 1);  // IN
  put16(out, 0);
  put16(out, kTimeToLive);
  put16(out, size);
}

std::size_t put_addresses(std::vector<std::uint8_t>& out, const Question& question, const Answer& answer) {
  const int family = question.type == QuestionType::a ? AF_INET : AF_INET6;
  const std::size_t size = family == AF_INET ? 4 : 16;
  std::size_t many = 0;
  for (const auto& address : answer.addresses) {
    std::array<std::uint8_t, 16> bytes{};
    if (many == kMostAnswers || inet_pton(family, address.c_str(), bytes.data()) != 1) continue;
    put_head(out, static_cast<unsigned>(question.type), static_cast<unsigned>(size));
    out.insert(out.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ++many;
  }
  return many;
}

std::size_t put_pointer(std::vector<std::uint8_t>& out, const std::string& name) {
  std::vector<std::uint8_t> labels;
  for (std::size_t from = 0; from < name.size();) {
    const auto end = std::min(name.find('.', from), name.size());
    if (end == from || end - from > 63) return 0;
    labels.push_back(static_cast<std::uint8_t>(end - from));
    labels.insert(labels.end(), name.begin() + static_cast<std::ptrdiff_t>(from),
                  name.begin() + static_cast<std::ptrdiff_t>(end));
    from = end + 1;
  }
  labels.push_back(0);
  if (labels.size() > 255) return 0;
  put_head(out, static_cast<unsigned>(QuestionType::ptr), static_cast<unsigned>(labels.size()));
  out.insert(out.end(), labels.begin(), labels.end());
  return 1;
}

std::optional<std::string> reversed_v4(const std::string& labels) {
  std::string forward;
  for (std::size_t end = labels.size(); end != std::string::npos;) {
    const auto dot = end == 0 ? std::string::npos : labels.rfind('.', end - 1);
    const auto from = dot == std::string::npos ? 0 : dot + 1;
    forward += (forward.empty() ? "" : ".") + labels.substr(from, end - from);
    end = dot;
  }
  return normal_address(forward);
}

std::optional<std::string> reversed_v6(const std::string& labels) {
  if (labels.size() != 63) return std::nullopt;
  std::string forward;
  for (int nibble = 31; nibble >= 0; --nibble) {
    forward += labels[static_cast<std::size_t>(nibble) * 2];
    if (nibble % 4 == 0 && nibble != 0) forward += ':';
  }
  return normal_address(forward);
}

}  // namespace

std::optional<Question> read_question(std::span<const std::uint8_t> message) {
  if (message.size() < kHeader + 5 || message.size() > 65535) return std::nullopt;
  Question question;
  question.id = at16(message, 0);
  question.flags = at16(message, 2);
  constexpr unsigned kIsAnswer = 0x8000, kKind = 0x7800;
  if ((question.flags & (kIsAnswer | kKind)) != 0 || at16(message, 4) != 1) return std::nullopt;
  std::size_t offset = kHeader;
  auto name = read_name(message, offset);
  if (!name || offset + 4 > message.size()) return std::nullopt;
  question.name = std::move(*name);
  question.type = at16(message, offset + 2) == 1 ? type_of(at16(message, offset)) : QuestionType::other;
  question.end = offset + 4;
  return question;
}

std::vector<std::uint8_t> write_answer(std::span<const std::uint8_t> message, const Question& question,
                                       const Answer& answer) {
  std::vector<std::uint8_t> out(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(question.end));
  constexpr unsigned kAnswer = 0x8480;  // answer, authoritative, recursion available
  const unsigned flags = kAnswer | (question.flags & 0x0100U) | static_cast<unsigned>(answer.code);
  out[2] = static_cast<std::uint8_t>(flags >> 8);
  out[3] = static_cast<std::uint8_t>(flags);
  std::memset(&out[6], 0, 6);
  std::size_t many = 0;
  if (question.type == QuestionType::a || question.type == QuestionType::aaaa)
    many = put_addresses(out, question, answer);
  if (question.type == QuestionType::ptr && !answer.pointer.empty()) many = put_pointer(out, answer.pointer);
  out[7] = static_cast<std::uint8_t>(many);
  return out;
}

std::optional<std::string> reversed_address(const std::string& name) {
  constexpr std::string_view kV4 = ".in-addr.arpa", kV6 = ".ip6.arpa";
  if (name.size() > kV4.size() && name.ends_with(kV4)) return reversed_v4(name.substr(0, name.size() - kV4.size()));
  if (name.size() > kV6.size() && name.ends_with(kV6)) return reversed_v6(name.substr(0, name.size() - kV6.size()));
  return std::nullopt;
}

}  // namespace stella::sandbox
