// SPDX-License-Identifier: Apache-2.0
#include "mirror/volumes/volume.hpp"

#include <gtest/gtest.h>

#include "bundles/canon/digest.hpp"

namespace stella::volumes {
namespace {

blobs::Blob blob_of(std::string_view name, std::uint64_t size) {
  return {canon::sha256(name), size};
}

std::string reason_of(const std::string& text) {
  try {
    (void)parse_index(text);
  } catch (const fault::Error& error) {
    return error.reason();
  }
  return "taken";
}

std::string swap(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("no " + from);
  return text.replace(at, from.size(), to);
}

const std::vector<blobs::Blob> kThree = {blob_of("a", 1), blob_of("b", 512), blob_of("c", 0)};

TEST(Index, ComesBackAsItWasWritten) {
  const std::vector<Row> rows = lay_out(kThree);
  EXPECT_EQ(rows[0].offset, 512U);
  EXPECT_EQ(rows[1].offset, 1536U);
  EXPECT_EQ(rows[2].offset, 2560U);
  EXPECT_EQ(volume_bytes(rows, 1), 2560U + 1024U);
  EXPECT_EQ(write_index(parse_index(write_index(rows))), write_index(rows));
}

TEST(Index, CutsVolumesBeforeTheyReachTheLimitOfVfat) {
  const std::vector<Row> rows = lay_out({blob_of("a", 3'000'000'000), blob_of("b", 3'000'000'000), blob_of("c", 10)});
  EXPECT_EQ(rows[0].volume, 1);
  EXPECT_EQ(rows[1].volume, 2);
  EXPECT_EQ(rows[1].offset, 512U);
  EXPECT_EQ(rows[2].volume, 2);
  EXPECT_LT(volume_bytes(rows, 2), kMaxVolume);
  EXPECT_EQ(write_index(parse_index(write_index(rows))), write_index(rows));
  EXPECT_THROW((void)lay_out({blob_of("a", 5'000'000'000)}), fault::Error);
}

TEST(Index, IsRefusedWithGapsDisorderAndDoubles) {
  const std::string text = write_index(lay_out(kThree));
  EXPECT_EQ(reason_of(text), "taken");
  EXPECT_EQ(reason_of(""), "taken");
  EXPECT_EQ(reason_of(swap(text, "\"offset\":1536", "\"offset\":2048")), "index");
  EXPECT_EQ(reason_of(swap(text, "\"offset\":512", "\"offset\":0")), "index");
  EXPECT_EQ(reason_of(swap(text, "\"volume\":1", "\"volume\":2")), "index");
  EXPECT_EQ(reason_of(swap(text, "\"codec\":\"raw\"", "\"codec\":\"zstd\"")), "index");
  EXPECT_EQ(reason_of(swap(text, "\"stored\":512", "\"stored\":511")), "json");
  EXPECT_EQ(reason_of(swap(text, "\"size\":1,", "\"size\":-1,")), "json");
  EXPECT_EQ(reason_of(swap(text, "\"size\":1,", "\"size\":1,\"more\":1,")), "json");
  EXPECT_EQ(reason_of(swap(text, blob_of("b", 0).digest.tagged(), blob_of("a", 0).digest.tagged())), "duplicate");
  EXPECT_EQ(reason_of(text.substr(0, text.size() - 1)), "index");
  EXPECT_EQ(reason_of(text + "\n"), "json");
}

TEST(MemberHeader, IsUstarWithAChecksum) {
  const std::string header = member_header(blob_of("a", 8));
  ASSERT_EQ(header.size(), 512U);
  EXPECT_EQ(header.substr(0, 13), "blobs/sha256/");
  EXPECT_EQ(header.substr(124, 11), "00000000010");
  EXPECT_EQ(header.substr(257, 5), "ustar");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  EXPECT_EQ(std::stoul(header.substr(148, 6), nullptr, 8), sum);
}

}  // namespace
}  // namespace stella::volumes
