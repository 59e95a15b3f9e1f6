// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/frame.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace stella::logs {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = value;
  }
  return table;
}
constexpr auto kTable = make_table();

std::uint32_t crc_by_table(std::string_view bytes, std::uint32_t crc) noexcept {
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_by_cpu(std::string_view bytes, std::uint32_t crc) noexcept {
  std::uint64_t wide = crc;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    wide = _mm_crc32_u64(wide, word);
    bytes.remove_prefix(8);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const char byte : bytes) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(byte));
  return narrow;
}
#endif

template <class T>
void put(std::string& to, T value) {
  const auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i) to += static_cast<char>((bits >> (8 * i)) & 0xFFU);
}
template <class T>
T take(std::string_view& from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  from.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

std::string head_without_crc(const Head& head, std::size_t length) {
  std::string bytes;
  put(bytes, static_cast<std::uint32_t>(length));
  put(bytes, static_cast<std::uint8_t>(head.kind));
  put(bytes, static_cast<std::uint8_t>(head.stream));
  put(bytes, std::uint16_t{0});
  put(bytes, head.id);
  put(bytes, head.at.time_since_epoch().count());
  return bytes;
}

constexpr std::int64_t kLastTime = 253402300799999;  // the end of the year 9999

bool is_time(std::int64_t millis) {
  return millis >= 0 && millis <= kLastTime;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
  static const bool kByCpu = __builtin_cpu_supports("sse4.2") != 0;
  if (kByCpu) return ~crc_by_cpu(bytes, ~before);
#endif
  return ~crc_by_table(bytes, ~before);
}

std::uint64_t key_of(std::string_view step) noexcept {
  std::uint64_t key = 0xcbf29ce484222325U;
  for (const char letter : step) key = (key ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
  return key;
}

std::string head_bytes(const Head& head, std::string_view payload) {
  const std::string rest = head_without_crc(head, payload.size());
  std::string bytes;
  put(bytes, crc32c(payload, crc32c(rest)));
  return bytes + rest;
}

std::optional<Head> parse_head(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return std::nullopt;
  Head head;
  head.crc = take<std::uint32_t>(bytes);
  head.length = take<std::uint32_t>(bytes);
  const auto kind = take<std::uint8_t>(bytes), stream = take<std::uint8_t>(bytes);
  const auto zero = take<std::uint16_t>(bytes);
  head.id = take<std::uint32_t>(bytes);
  const auto millis = take<std::int64_t>(bytes);
  if (head.length > kMaxPayload || kind < 1 || kind > 3 || stream > 1 || zero != 0 || head.id == 0 ||
      head.id > kMaxId || !is_time(millis))
    return std::nullopt;
  head.kind = static_cast<Kind>(kind);
  head.stream = static_cast<Stream>(stream);
  head.at = clock::Time(clock::Duration(millis));
  return head;
}

bool fits(std::string_view head_bytes, std::string_view payload) {
  std::string_view crc = head_bytes.substr(0, 4);
  return take<std::uint32_t>(crc) == crc32c(payload, crc32c(head_bytes.substr(4, kHeadBytes - 4)));
}

std::string declare_payload(const Declared& declared) {
  std::string bytes;
  put(bytes, declared.offset);
  put(bytes, declared.lines);
  put(bytes, static_cast<std::uint32_t>(declared.number));
  return bytes + declared.step;
}

std::optional<Declared> parse_declare(std::string_view payload) {
  if (payload.size() <= 20 || payload.size() > 20 + kMaxStep) return std::nullopt;
  Declared declared;
  declared.offset = take<std::uint64_t>(payload);
  declared.lines = take<std::uint64_t>(payload);
  const auto number = take<std::uint32_t>(payload);
  if (number == 0 || number > 1000000000 || declared.lines > declared.offset) return std::nullopt;
  declared.number = static_cast<int>(number);
  declared.step = std::string(payload);
  return declared;
}

std::string end_payload(std::uint64_t size_bytes, std::uint64_t lines) {
  std::string bytes;
  put(bytes, size_bytes);
  put(bytes, lines);
  return bytes;
}

std::string entry_bytes(const Entry& entry) {
  std::string bytes;
  put(bytes, entry.step_key);
  put(bytes, static_cast<std::uint32_t>(entry.number));
  put(bytes, entry.id);
  put(bytes, static_cast<std::uint32_t>(entry.kind));
  std::string rest;
  put(rest, entry.place);
  put(rest, entry.offset);
  put(rest, entry.line);
  put(rest, entry.at.time_since_epoch().count());
  const std::uint32_t crc = crc32c(rest, crc32c(bytes));
  put(bytes, crc);
  return bytes + rest;
}

std::optional<Entry> parse_entry(std::string_view bytes) {
  if (bytes.size() < kEntryBytes) return std::nullopt;
  const std::uint32_t wanted = crc32c(bytes.substr(24, 32), crc32c(bytes.substr(0, 20)));
  Entry entry;
  entry.step_key = take<std::uint64_t>(bytes);
  const auto number = take<std::uint32_t>(bytes);
  entry.id = take<std::uint32_t>(bytes);
  const auto kind = take<std::uint32_t>(bytes), crc = take<std::uint32_t>(bytes);
  entry.place = take<std::uint64_t>(bytes);
  entry.offset = take<std::uint64_t>(bytes);
  entry.line = take<std::uint64_t>(bytes);
  const auto millis = take<std::int64_t>(bytes);
  if (crc != wanted || kind < 1 || kind > 4 || number > 1000000000 || !is_time(millis)) return std::nullopt;
  entry.number = static_cast<int>(number);
  entry.kind = static_cast<Kind>(kind);
  entry.at = clock::Time(clock::Duration(millis));
  return entry;
}

std::string chunk_name(std::uint32_t number) {
  return fmt::format("{:06}.chunk", number);
}
std::string index_name(std::uint32_t number) {
  return fmt::format("{:06}.index", number);
}

std::optional<std::uint32_t> chunk_number(std::string_view name) {
  if (name.size() < 12 || name.size() > 15 || !name.ends_with(".chunk")) return std::nullopt;
  std::uint32_t number = 0;
  for (const char letter : name.substr(0, name.size() - 6)) {
    if (letter < '0' || letter > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(letter - '0');
  }
  if (number == 0 || name != chunk_name(number)) return std::nullopt;
  return number;
}

}  // namespace stella::logs
