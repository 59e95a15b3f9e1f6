// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/volume_reader.hpp"

#include <fmt/format.h>

#include "bundles/fault/error.hpp"

namespace stella::intake {
namespace {

constexpr std::size_t kRead = std::size_t{1} << 20;

}  // namespace

VolumeReader::VolumeReader(Feed& feed, const std::vector<volumes::Row>& rows) {
  const int count = rows.empty() ? 0 : rows.back().volume;
  for (int volume = 1; volume <= count; ++volume) {
    parts_.push_back(feed.part(volumes::volume_name(volume)));
    const Part& part = parts_.back();
    const std::uint64_t wanted = volumes::volume_bytes(rows, volume);
    if (part.size_bytes == wanted) continue;
    throw fault::Error(fault::Code::mirror_malformed, "truncated",
                       fmt::format("{} has {} bytes, {} were signed", part.name, part.size_bytes, wanted), part.name);
  }
}

const Part& VolumeReader::volume_of(const volumes::Row& row) const {
  return parts_.at(static_cast<std::size_t>(row.volume) - 1);
}

void VolumeReader::expect(const Part& part, std::uint64_t offset, std::string_view bytes) const {
  std::string found(bytes.size(), '\0');
  part.read(offset, found);
  if (found == bytes) return;
  throw fault::Error(fault::Code::mirror_digest, "volume",
                     fmt::format("{} has other bytes at offset {} than its signed index gives", part.name, offset),
                     fmt::format("{}:{}", part.name, offset));
}

void VolumeReader::check_frame(const volumes::Row& row) const {
  const Part& part = volume_of(row);
  expect(part, row.offset - volumes::kBlock, volumes::member_header(row.blob));
  expect(part, row.offset + row.blob.size_bytes, std::string(volumes::padding_after(row.blob.size_bytes), '\0'));
}

void VolumeReader::fetch(const volumes::Row& row, const std::function<void(std::string_view)>& take) const {
  check_frame(row);
  const Part& part = volume_of(row);
  std::string block(std::min<std::uint64_t>(kRead, row.blob.size_bytes), '\0');
  for (std::uint64_t done = 0; done < row.blob.size_bytes;) {
    const std::size_t size = std::min<std::uint64_t>(block.size(), row.blob.size_bytes - done);
    part.read(row.offset + done, std::span(block).first(size));
    take(std::string_view(block).substr(0, size));
    done += size;
  }
}

void VolumeReader::check_tails() const {
  for (const Part& part : parts_) {
    expect(part, part.size_bytes - volumes::kTail, std::string(volumes::kTail, '\0'));
  }
}

}  // namespace stella::intake
