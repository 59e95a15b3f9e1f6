// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bundles/archive/tar.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::archive {
namespace {

const Codes kCodes{fault::Code::mirror_malformed, "x.tar"};

std::string written(const std::function<void(TarWriter&)>& fill) {
  std::string out;
  TarWriter writer([&](std::string_view bytes) { out += bytes; });
  fill(writer);
  writer.finish();
  return out;
}

std::string sample() {
  return written([](TarWriter& tar) {
    tar.folder("docs", 0755);
    tar.file("docs/usage.md", 0644, "how to use it\n");
    tar.file("empty", 0644, "");
    tar.file("steps/check.sh", 0755, std::string(1500, 'x'));
  });
}

// `path mode size content...` of each member, or `reason` of the refusal.
std::string read_all(std::string_view bytes, std::size_t block = 700, Limits limits = {1 << 20, 100}) {
  std::string out;
  try {
    read_tar(text_source(bytes, block), kCodes, limits, [&](const Member& member, MemberReader& content) {
      out += fmt::format("{} {:o} {}", member.path, member.mode, member.size_bytes);
      std::string data;
      for (auto piece = content.next(); !piece.empty(); piece = content.next()) data += piece;
      EXPECT_EQ(data.size(), member.size_bytes);
      EXPECT_EQ(data, bytes.substr(member.offset, member.size_bytes)) << "offset says where the content is";
      out += '\n';
    });
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), kCodes.code);
    EXPECT_EQ(error.at(), "x.tar");
    return error.reason();
  }
  return out;
}

// A member with a header of any kind; the checksum is made right.
std::string raw(std::string_view path, char type, std::string_view content = {}, std::string_view mode = "0000644",
                std::string_view link = {}, std::string_view size = {}) {
  std::string head(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { head.replace(at, text.size(), text); };
  put(0, path);
  put(100, mode);
  put(124, size.empty() ? fmt::format("{:011o}", content.size()) : std::string(size));
  put(136, "00000000000");
  put(148, "        ");
  head[156] = type;
  put(157, link);
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  head += content;
  head.append((512 - content.size() % 512) % 512, '\0');
  return head;
}
const std::string kEnd(1024, '\0');

std::string pax(std::string_view key, std::string_view value) {
  std::string record;
  for (std::size_t length = key.size() + value.size() + 3;; ++length) {
    record = fmt::format("{} {}={}\n", length, key, value);
    if (record.size() == length) return raw("pax", 'x', record);
  }
}

TEST(Tar, ReadsBackWhatItWroteAtAnyBlockSize) {
  const std::string want = "docs 755 0\ndocs/usage.md 644 14\nempty 644 0\nsteps/check.sh 755 1500\n";
  for (const std::size_t block : {1U, 511U, 512U, 513U, 65536U}) EXPECT_EQ(read_all(sample(), block), want) << block;
}

TEST(Tar, WritesTheSameBytesEveryTime) {
  EXPECT_EQ(canon::sha256(sample()).hex(), canon::sha256(sample()).hex());
  EXPECT_EQ(sample().size() % 512, 0U);
}

TEST(Tar, SplitsLongPathsAndRefusesWhatDoesNotFit) {
  const std::string deep = std::string(90, 'a') + "/" + std::string(60, 'b') + "/" + std::string(95, 'c');
  EXPECT_TRUE(fits_ustar(deep));
  EXPECT_EQ(read_all(written([&](TarWriter& tar) { tar.file(deep, 0644, "x"); })), deep + " 644 1\n");
  EXPECT_FALSE(fits_ustar(std::string(101, 'a')));
  EXPECT_FALSE(fits_ustar(std::string(156, 'a') + "/b"));
  EXPECT_THROW(written([&](TarWriter& tar) { tar.file(std::string(101, 'a'), 0644, "x"); }), fault::Error);
}

TEST(Tar, RefusesHostileMembers) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {raw("/etc/passwd", '0'), "path"},
      {raw("../up", '0'), "path"},
      {raw("a/../b", '0'), "path"},
      {raw("./a", '0'), "path"},
      {raw("a//b", '0'), "path"},
      {raw("a\\b", '0'), "path"},
      {raw("a\nb", '0'), "path"},
      {raw("a\xe2\x80\xae"
           "b",
           '0'),
       "path"},  // right-to-left override
      {raw("a\xff", '0'), "path"},
      {raw("cafe\xcc\x81", '0'), "path"},  // not composed
      {raw("", '0'), "path"},
      {raw(std::string("a/"), '0', "x"), "path"},
      {raw("link", '2', "", "0000777", "/etc/passwd"), "link"},
      {raw("hard", '1', "", "0000644", "a"), "link"},
      {raw("long", 'K', "target"), "link"},
      {raw("dev", '3'), "type"},
      {raw("disk", '4'), "type"},
      {raw("fifo", '6'), "type"},
      {raw("sparse", 'S', "x"), "type"},
      {raw("global", 'g', "19 comment=aaaaaaaa\n"), "type"},
      {raw("suid", '0', "x", "0004755"), "type"},
      {raw("sticky", '5', "", "0001777"), "type"},
      {raw("a", '0') + raw("a", '0'), "duplicate"},
      {raw("Readme", '0') + raw("README", '0'), "collision"},
      {raw("stra\xc3\x9f"
           "e",
           '0') +
           raw("strasse", '0'),
       "collision"},
      {raw("\xc3\x84x", '0') + raw("\xc3\xa4x", '0'), "collision"},
      {raw("A/x", '0') + raw("a/y", '0'), "collision"},
      {raw("a", '0') + raw("a/b", '0'), "collision"},
      {raw("a/b", '0') + raw("a", '0'), "collision"},
      {raw("big", '0', "", "0000644", "", "\x80\0\0\0\0\0\0\0\0\0\0\x01"), "tar"},
      {raw("folder", '5', "content"), "tar"},
      {pax("path", "../up") + raw("a", '0'), "path"},
      {pax("size", "1") + raw("a", '0', "x", "0000644", "", "00000000000"), "tar"},
      {pax("GNU.sparse.map", "0,1,2,3") + raw("a", '0', "xxxx"), "type"},
      {pax("path", "a") + pax("path", "b") + raw("a", '0'), "tar"},
      {pax("path", "a"), "tar"},
      {raw("x", 'x', std::string(70000, 'x')), "size"},
  };
  for (const auto& [bytes, want] : table) {
    const std::string got = read_all(bytes + kEnd);
    EXPECT_EQ(got, want) << bytes.substr(0, 40);
  }
}

TEST(Tar, TakesPaxNamesOfFiles) {
  const std::string path = std::string(120, 'a') +
                           "/\xc3\xbc"
                           "ber.txt";
  EXPECT_EQ(read_all(pax("path", path) + raw("short", '0', "abc") + kEnd), path + " 644 3\n");
  EXPECT_EQ(read_all(raw("././@LongLink", 'L', path + '\0') + raw("short", '0', "abc") + kEnd), path + " 644 3\n");
}

TEST(Tar, NamesEveryTruncation) {
  const std::string good = sample();
  for (std::size_t cut = 0; cut < good.size(); cut += cut < 1030 ? 1 : 97) {
    EXPECT_EQ(read_all(good.substr(0, cut)), "truncated") << cut;
  }
  EXPECT_EQ(read_all(good.substr(0, good.size() - 1)), "truncated");
  EXPECT_EQ(read_all(good.substr(0, good.size() - 512)), "truncated") << "one zero block is not the end";
}

TEST(Tar, RefusesWhatFollowsTheEnd) {
  EXPECT_EQ(read_all(sample() + "x"), "truncated") << "a broken block";
  EXPECT_EQ(read_all(sample() + std::string(512, 'x')), "tar");
  EXPECT_EQ(read_all(sample() + sample()), "tar") << "a second archive";
  EXPECT_EQ(read_all(raw("a", '0') + std::string(512, '\0') + raw("b", '0') + kEnd), "tar");
  EXPECT_EQ(read_all(sample() + std::string(10240, '\0')).substr(0, 4), "docs") << "padding is fine";
  EXPECT_EQ(read_all(std::string(4 << 20, '\0')), "tar") << "nothing but zeros";
}

TEST(Tar, RefusesWhatIsNoTar) {
  EXPECT_EQ(read_all(std::string(2048, 'q')), "tar");
  EXPECT_EQ(read_all(std::string("\x1f\x8b\x08", 3) + std::string(2048, 'q')), "tar");
  std::string bad = sample();
  bad[0] = 'D';
  EXPECT_EQ(read_all(bad), "tar") << "checksum";
}

TEST(Tar, KeepsToItsLimits) {
  EXPECT_EQ(read_all(sample(), 512, {1000, 100}), "size");
  EXPECT_EQ(read_all(sample(), 512, {1 << 20, 3}), "size");
}

TEST(Tar, AVisitorNeedNotReadTheContent) {
  int members = 0;
  const std::string bytes = sample();
  read_tar(text_source(bytes), kCodes, {1 << 20}, [&](const Member&, MemberReader&) { ++members; });
  EXPECT_EQ(members, 4);
}

TEST(Tar, AnErrorOfTheVisitorOrSourcePassesThrough) {
  const std::string bytes = sample();
  const auto stop = [](const Member&, MemberReader&) { throw fault::Error(fault::Code::no_space, "full", "no space"); };
  EXPECT_THROW(read_tar(text_source(bytes), kCodes, {1 << 20}, stop), fault::Error);
  const std::function<std::string_view()> gone = []() -> std::string_view {
    throw fault::Error(fault::Code::media_gone, "io", "gone");
  };
  try {
    read_tar(gone, kCodes, {1 << 20}, [](const Member&, MemberReader&) {});
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::media_gone);
  }
}

TEST(Tar, ManyDeepNamesAreBounded) {
  std::string bytes;
  const std::string deep = [] {
    std::string path = "a";
    for (int i = 0; i < 120; ++i) path += "/" + std::string(30, 'b');
    return path;
  }();
  for (int i = 0; i < 400; ++i) {
    bytes += pax("path", fmt::format("{}{}", i, deep)) + raw("x", '0');
  }
  EXPECT_EQ(read_all(bytes + kEnd, 65536, {1 << 20, 10000}), "size");
}

}  // namespace
}  // namespace stella::archive
