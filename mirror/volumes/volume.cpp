// SPDX-License-Identifier: Apache-2.0
#include "mirror/volumes/volume.hpp"

#include <fmt/format.h>

#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::volumes {
namespace {

constexpr auto kCode = fault::Code::mirror_malformed;
constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53;

std::string row_text(const Row& row) {
  return canon::canonical({{"codec", "raw"},
                           {"digest", row.blob.digest.tagged()},
                           {"offset", row.offset},
                           {"size", row.blob.size_bytes},
                           {"stored", row.blob.size_bytes},
                           {"volume", row.volume}});
}

Row parse_row(std::string_view line, const std::string& at) {
  const canon::Json object = canon::parse_json(line, kCode, at, 1024);
  canon::Fields fields(object, kCode, "json", at);
  if (const std::string codec = fields.text("codec", 32); codec != "raw") {
    throw fault::Error(kCode, "index",
                       fmt::format("codec {} is not known to this version of stella", canon::printable(codec)), at,
                       "Have the publisher write a full bundle: `stella mirror publish` without --base.");
  }
  Row row;
  row.blob.digest = canon::parse_digest(fields.text("digest", 71), kCode, at);
  row.blob.size_bytes = static_cast<std::uint64_t>(fields.integer("size", 0, kMaxInteger));
  row.offset = static_cast<std::uint64_t>(fields.integer("offset", 0, kMaxInteger));
  row.volume = static_cast<int>(fields.integer("volume", 1, 9999));
  if (static_cast<std::uint64_t>(fields.integer("stored", 0, kMaxInteger)) != row.blob.size_bytes) {
    fields.fail("differs from size in a raw row", "stored");
  }
  fields.finish();
  return row;
}

// The place that follows everything laid out so far.
struct Cursor {
  int volume = 1;
  std::uint64_t end = 0;  // where the next header begins

  Row place(const blobs::Blob& blob, int in_volume) {
    if (in_volume != volume) {
      volume = in_volume;
      end = 0;
    }
    Row row{.blob = blob, .volume = volume, .offset = end + kBlock};
    end = row.offset + blob.size_bytes + padding_after(blob.size_bytes);
    return row;
  }
  [[nodiscard]] bool has_room(const blobs::Blob& blob) const {
    return end + kBlock + blob.size_bytes + padding_after(blob.size_bytes) + kTail <= kMaxVolume;
  }
};

// The reader takes volumes of any size, so that a publisher may cut them smaller; only gaps and disorder are refused.
void check_place(const Row& row, Cursor& cursor, const std::string& at) {
  const bool begins_next = row.volume == cursor.volume + 1 && cursor.end > 0;
  if (row.volume == cursor.volume || begins_next) {
    if (row.offset == cursor.place(row.blob, row.volume).offset) return;
  }
  throw fault::Error(kCode, "index",
                     fmt::format("a row at {} of volume {} does not follow the one before", row.offset, row.volume),
                     at);
}

void put_octal(std::string& header, std::size_t at, std::size_t width, std::uint64_t value) {
  header.replace(at, width - 1, fmt::format("{:0{}o}", value, width - 1));
}

}  // namespace

std::uint64_t padding_after(std::uint64_t size_bytes) {
  return (kBlock - size_bytes % kBlock) % kBlock;
}

std::string volume_name(int volume) {
  return fmt::format("data/{:04}.tar", volume);
}

std::vector<Row> lay_out(const std::vector<blobs::Blob>& blobs) {
  std::vector<Row> rows;
  rows.reserve(blobs.size());
  Cursor cursor;
  for (const blobs::Blob& blob : blobs) {
    if (blob.size_bytes > kMaxVolume - kBlock - kBlock - kTail) {
      throw fault::Error(
          fault::Code::file_unsuitable, "size",
          fmt::format("blob {} has {} bytes; a volume holds less than 3.9 GiB", blob.digest.tagged(), blob.size_bytes),
          blob.digest.tagged(), "Split the large file inside the pack into several.");
    }
    rows.push_back(cursor.place(blob, cursor.has_room(blob) ? cursor.volume : cursor.volume + 1));
  }
  return rows;
}

std::string write_index(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) text += row_text(row) + "\n";
  return text;
}

std::vector<Row> parse_index(std::string_view text) {
  std::vector<Row> rows;
  std::set<canon::Digest> seen;
  Cursor cursor;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string at = fmt::format("{}:{}", kIndexName, number);
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) throw fault::Error(kCode, "index", "the last line is cut off", at);
    Row row = parse_row(text.substr(0, end), at);
    text.remove_prefix(end + 1);
    if (row.blob.size_bytes > kMaxVolume) throw fault::Error(kCode, "index", "a blob is larger than a volume", at);
    check_place(row, cursor, at);
    if (!seen.insert(row.blob.digest).second) throw fault::Error(kCode, "duplicate", "a blob is listed twice", at);
    rows.push_back(row);
  }
  return rows;
}

// Source: POSIX.1-2017, pax, "ustar Interchange Format".
std::string member_header(const blobs::Blob& blob) {
  std::string header(kBlock, '\0');
  const std::string name = "blobs/sha256/" + blob.digest.hex();
  header.replace(0, name.size(), name);
  put_octal(header, 100, 8, 0644);
  put_octal(header, 108, 8, 0);  // uid
  put_octal(header, 116, 8, 0);  // gid
  put_octal(header, 124, 12, blob.size_bytes);
  put_octal(header, 136, 12, 0);  // mtime
  header[156] = '0';
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

std::uint64_t volume_bytes(const std::vector<Row>& rows, int volume) {
  std::uint64_t end = 0;
  for (const Row& row : rows) {
    if (row.volume == volume) end = row.offset + row.blob.size_bytes + padding_after(row.blob.size_bytes);
  }
  return end + kTail;
}

std::string write_hint(const std::string& source, std::int64_t generation, const std::vector<Row>& rows) {
  const int volumes = rows.empty() ? 0 : rows.back().volume;
  std::uint64_t bytes = 0;
  for (int volume = 1; volume <= volumes; ++volume) bytes += volume_bytes(rows, volume);
  return canon::canonical({{"schema", "stella.mirror-bundle.v1"},
                           {"kind", "full"},
                           {"source", source},
                           {"generation", generation},
                           {"base", nullptr},
                           {"volumes", volumes},
                           {"bytes", bytes}});
}

}  // namespace stella::volumes
