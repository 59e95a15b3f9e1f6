// SPDX-License-Identifier: Apache-2.0
// The bytes of a chunk and of its index; only this room includes it. All numbers are little-endian.
//
// A chunk: the 16 bytes of kChunkMagic, then records of a 24-byte head and their payload, end to end:
//   u32 crc32c of everything after it, head and payload · u32 payload bytes (at most 1 MiB) · u8 kind · u8 stream (0
//   out, 1 err) · u16 0 · u32 stream id, from 1 within the chunk · i64 milliseconds since 1970
// Kind 1, `declare`, gives a stream id its try: payload u64 byte offset and u64 lines of the try so far, u32 number,
// then the step's id. Kind 2, `text`: bytes of it. Kind 3, `end` of the try: u64 bytes, u64 lines.
// An index: the 16 bytes of kIndexMagic, then entries of 56 bytes: u64 FNV-1a of the step's id · u32 number · u32
// stream id · u32 kind · u32 0 · u64 place of the record in the chunk · u64 byte offset · u64 line (from 0) · i64
// milliseconds, with the crc32c of the other 52 bytes in place of the second u32 0.
// Source: crc32c: RFC 3720 section B.4 (Castagnoli, reflected, as in iSCSI).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "appliance/logs/writer.hpp"

namespace stella::logs {

inline constexpr std::string_view kChunkMagic{"stella.log.v1\n\0\0", 16};
inline constexpr std::string_view kIndexMagic{"stella.idx.v1\n\0\0", 16};
inline constexpr std::uint32_t kMaxId = 1U << 30;  // of a stream within one chunk
inline constexpr std::size_t kHeadBytes = 24, kEntryBytes = 56, kMaxPayload = 1 << 20, kMaxStep = 4096;

enum class Kind : std::uint8_t { declare = 1, text = 2, end = 3, closed = 4 };  // closed: in an index only, see below

struct Head {  // of a record
  std::uint32_t crc = 0, length = 0;
  Kind kind = Kind::text;
  Stream stream = Stream::out;
  std::uint32_t id = 0;
  clock::Time at{};
};
struct Declared {  // payload of `declare`
  std::uint64_t offset = 0, lines = 0;
  int number = 1;
  std::string step;
};
// An entry of kind `closed` is the last one of a chunk that gets no more records: `place` is the chunk's size. An index
// without it, or with another size, is not whole.
struct Entry {
  std::uint64_t step_key = 0;
  int number = 0;
  std::uint32_t id = 0;
  Kind kind = Kind::text;
  std::uint64_t place = 0, offset = 0, line = 0;
  clock::Time at{};
};

[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;
[[nodiscard]] std::uint64_t key_of(std::string_view step) noexcept;

// The head of a record with its crc filled in.
[[nodiscard]] std::string head_bytes(const Head& head, std::string_view payload);
// Nothing: no record begins like this.
[[nodiscard]] std::optional<Head> parse_head(std::string_view bytes);
[[nodiscard]] bool fits(std::string_view head_bytes, std::string_view payload);  // the crc
[[nodiscard]] std::string declare_payload(const Declared& declared);
[[nodiscard]] std::optional<Declared> parse_declare(std::string_view payload);
[[nodiscard]] std::string end_payload(std::uint64_t size_bytes, std::uint64_t lines);
[[nodiscard]] std::string entry_bytes(const Entry& entry);
[[nodiscard]] std::optional<Entry> parse_entry(std::string_view bytes);

[[nodiscard]] std::string chunk_name(std::uint32_t number);  // 000001.chunk
[[nodiscard]] std::string index_name(std::uint32_t number);
// The number of a chunk's file name; nothing for any other name.
[[nodiscard]] std::optional<std::uint32_t> chunk_number(std::string_view name);

}  // namespace stella::logs
