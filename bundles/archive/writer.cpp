// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bundles/archive/tar.hpp"

namespace stella::archive {
namespace {

constexpr std::size_t kBlock = 512, kName = 100, kPrefix = 155;

struct Split {
  std::string_view prefix, name;
  bool fits = false;
};

Split split(std::string_view path) {
  if (path.size() <= kName) return {{}, path, !path.empty()};
  for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    const std::string_view name = path.substr(slash + 1);
    if (name.size() > kName) return {};
    if (slash <= kPrefix && !name.empty()) return {path.substr(0, slash), name, true};
  }
  return {};
}

void put(std::array<char, kBlock>& block, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(offset));
}

[[noreturn]] void misuse(const std::string& what) {
  throw fault::Error(fault::Code::internal, "tar", what);
}

}  // namespace

bool fits_ustar(const std::string& path) {
  return split(path).fits;
}

TarWriter::TarWriter(std::function<void(std::string_view)> sink) : sink_(std::move(sink)) {}
TarWriter::~TarWriter() = default;

void TarWriter::header(const std::string& path, char type, unsigned mode, std::uint64_t size_bytes) {
  if (left_ != 0) misuse(fmt::format("a member before {} is not complete", path));
  const Split parts = split(path);
  if (!parts.fits) misuse("a path does not fit a tar header: " + path);
  if (size_bytes > kMaxFileBytes) misuse("a file does not fit a tar header: " + path);
  std::array<char, kBlock> block{};
  put(block, 0, parts.name);
  put(block, 100, fmt::format("{:07o}", mode & 0777U));
  put(block, 108, "0000000");  // uid
  put(block, 116, "0000000");  // gid
  put(block, 124, fmt::format("{:011o}", size_bytes));
  put(block, 136, "00000000000");  // mtime
  put(block, 148, "        ");     // the checksum counts itself as spaces
  block[156] = type;
  put(block, 257, std::string_view("ustar\00000", 8));
  put(block, 329, "0000000");  // device numbers
  put(block, 337, "0000000");
  put(block, 345, parts.prefix);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  sink_({block.data(), block.size()});
}

void TarWriter::folder(const std::string& path, unsigned mode) {
  header(path + "/", '5', mode, 0);
}

void TarWriter::begin_file(const std::string& path, unsigned mode, std::uint64_t size_bytes) {
  header(path, '0', mode, size_bytes);
  left_ = size_bytes;
  padding_ = (kBlock - size_bytes % kBlock) % kBlock;
}

void TarWriter::write(std::string_view bytes) {
  if (bytes.size() > left_) misuse("more content than the header says");
  if (bytes.empty()) return;
  left_ -= bytes.size();
  sink_(bytes);
  if (left_ == 0) end_file();
}

void TarWriter::end_file() {
  static constexpr std::array<char, kBlock> zeros{};
  if (padding_ > 0) sink_({zeros.data(), padding_});
  padding_ = 0;
}

void TarWriter::file(const std::string& path, unsigned mode, std::string_view bytes) {
  begin_file(path, mode, bytes.size());
  write(bytes);
}

void TarWriter::finish() {
  if (left_ != 0) misuse("the last member is not complete");
  static constexpr std::array<char, 2 * kBlock> zeros{};
  sink_({zeros.data(), zeros.size()});
}

}  // namespace stella::archive
