// SPDX-License-Identifier: Apache-2.0
// A log chunk of foreign bytes, with an index of foreign bytes: reading ends, and a writer that opens it cuts it to
// what every reader can read.
//
// Input: u16 length of the index's bytes (little-endian), those bytes, then the chunk.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "appliance/logs/reader.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

const std::string& folder() {
  static const std::string kFolder = [] {
    char pattern[] = "/tmp/stella-fuzz-logs-XXXXXX";
    return std::string(::mkdtemp(pattern));
  }();
  return kFolder;
}

void put(const std::string& name, std::string_view bytes) {
  std::FILE* file = std::fopen((folder() + "/" + name).c_str(), "wb");
  stella::fuzz::require(file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
  std::fclose(file);
}

std::size_t read_all() {
  using namespace stella;
  std::size_t records = 0;
  fuzz::refusing_is_fine([&] {
    logs::Reader reader(folder(), {});
    while (reader.next()) ++records;
  });
  fuzz::refusing_is_fine([&] {
    for (const logs::Extent& one : logs::tries(folder())) logs::stream_text(folder(), one, [](std::string_view) {});
  });
  return records;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  const std::string_view bytes = fuzz::text_of(data, size);
  const std::size_t length = size < 2 ? 0 : std::min<std::size_t>(data[0] + 256U * data[1], size - 2);
  std::filesystem::remove_all(folder());
  std::filesystem::create_directory(folder());
  put("000001.index", size < 2 ? "" : bytes.substr(2, length));
  put("000001.chunk", size < 2 ? "" : bytes.substr(2 + length));
  const std::size_t before = read_all();
  fuzz::refusing_is_fine([&] {
    logs::Writer writer = logs::Writer::open(folder());
    logs::Try one = writer.begin("fuzz", 1);
    one.append(logs::Stream::out, "x", {});
    fuzz::require(read_all() >= before);
  });
  return 0;
}
