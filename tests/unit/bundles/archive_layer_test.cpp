// SPDX-License-Identifier: Apache-2.0
#include "bundles/archive/layer.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <array>

#include "tests/builders/foreign_tar.hpp"

namespace stella::archive {
namespace {

const Codes kCodes{fault::Code::pack_invalid, "layer 1"};
constexpr LayerLimits kLimits{std::uint64_t{1} << 30, 100};

using builders::Made;

struct Read {
  std::vector<std::pair<LayerEntry, std::string>> entries;
  canon::Digest diff_id;
};

Read read(const std::string& bytes, Packing packing = Packing::none, LayerLimits limits = kLimits,
          std::size_t block = 777) {
  Read seen;
  seen.diff_id = read_layer(text_source(bytes, block), packing, kCodes, limits,
                            [&](const LayerEntry& entry, MemberReader& content) {
                              std::string data;
                              for (auto piece = content.next(); !piece.empty(); piece = content.next()) data += piece;
                              seen.entries.emplace_back(entry, data);
                            });
  return seen;
}

std::string refusal(const std::string& bytes, Packing packing = Packing::none, LayerLimits limits = kLimits) {
  try {
    (void)read(bytes, packing, limits);
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_invalid) << error.what();
    return error.reason();
  }
  return "read";
}

TEST(Layer, SeesEveryKindOfEntry) {
  Made tar;
  tar.add("./", AE_IFDIR, {}, nullptr, 0755).add("usr/bin/", AE_IFDIR, {}, nullptr, 01777);
  tar.add("./usr/bin/tool", AE_IFREG, "#!", nullptr, 04755).add("usr/bin/alias", AE_IFREG, "", "usr/bin/tool");
  tar.add("bin", AE_IFLNK, {}, "usr/bin").add("dev/null", AE_IFCHR).add("pipe", AE_IFIFO);
  tar.add("etc/système\\x2d.conf", AE_IFREG, "x");
  const std::string bytes = tar.done();
  const Read seen = read(bytes);
  ASSERT_EQ(seen.entries.size(), 8U);
  EXPECT_EQ(seen.entries[0].first.path, "");
  EXPECT_EQ(seen.entries[1].first.mode, 0777U);
  EXPECT_EQ(seen.entries[2].first.path, "usr/bin/tool");
  EXPECT_EQ(seen.entries[2].first.mode, 0755U);
  EXPECT_EQ(seen.entries[2].first.modified, 1700000000);
  EXPECT_EQ(seen.entries[2].second, "#!");
  EXPECT_EQ(seen.entries[3].first.kind, LayerKind::hard_link);
  EXPECT_EQ(seen.entries[3].first.target, "usr/bin/tool");
  EXPECT_EQ(seen.entries[4].first.target, "usr/bin");
  EXPECT_EQ(seen.entries[5].first.kind, LayerKind::other);
  EXPECT_EQ(seen.entries[6].first.kind, LayerKind::other);
  EXPECT_EQ(seen.entries[7].first.path, "etc/système\\x2d.conf");
  EXPECT_EQ(seen.diff_id, canon::sha256(bytes));
}

TEST(Layer, HasTheSameDigestPackedOrNot) {
  const auto fill = [](Made& tar) { return tar.add("a", AE_IFREG, std::string(300000, 'a')).done(); };
  Made plain, gzip(ARCHIVE_FILTER_GZIP), zstd(ARCHIVE_FILTER_ZSTD);
  const canon::Digest digest = canon::sha256(fill(plain));
  EXPECT_EQ(read(fill(gzip), Packing::gzip).diff_id, digest);
  EXPECT_EQ(read(fill(zstd), Packing::zstd).diff_id, digest);
  EXPECT_EQ(read(zstd.bytes, Packing::zstd).entries.at(0).second, std::string(300000, 'a'));
}

TEST(Layer, IsWhatItsMediaTypeSays) {
  Made gzip(ARCHIVE_FILTER_GZIP), zstd(ARCHIVE_FILTER_ZSTD), plain;
  for (Made* tar : {&gzip, &zstd, &plain}) tar->add("a", AE_IFREG, "x").done();
  EXPECT_NE(refusal(gzip.bytes, Packing::none), "read");
  EXPECT_NE(refusal(gzip.bytes, Packing::zstd), "read");
  EXPECT_NE(refusal(zstd.bytes, Packing::gzip), "read");
  EXPECT_NE(refusal(plain.bytes, Packing::gzip), "read");
  EXPECT_NE(refusal("", Packing::gzip), "read");
  EXPECT_NE(refusal("no tar at all, but some text"), "read");
}

TEST(Layer, RefusesPackedBytesThatEndEarly) {
  Made gzip(ARCHIVE_FILTER_GZIP), zstd(ARCHIVE_FILTER_ZSTD);
  std::string noise;
  for (unsigned i = 0; i < 50000; ++i) noise += static_cast<char>((i * 2654435761U) >> 24U);
  for (Made* tar : {&gzip, &zstd}) tar->add("a", AE_IFREG, noise).done();
  EXPECT_EQ(refusal(gzip.bytes.substr(0, gzip.bytes.size() / 2), Packing::gzip), "truncated");
  EXPECT_EQ(refusal(zstd.bytes.substr(0, zstd.bytes.size() / 2), Packing::zstd), "truncated");
  Made plain;
  EXPECT_EQ(refusal(plain.add("a", AE_IFREG, noise).done().substr(0, 9000)), "truncated");
}

TEST(Layer, RefusesBombs) {
  const std::string zeros(std::size_t{1} << 20, '\0');
  std::string packed;
  // 100 MiB of nothing in a few KiB.
  std::array<char, 1 << 17> out{};
  ZSTD_CCtx* context = ZSTD_createCCtx();
  for (int i = 0; i <= 100; ++i) {
    ZSTD_inBuffer in{zeros.data(), i < 100 ? zeros.size() : 0, 0};
    std::size_t left = 1;
    while (in.pos < in.size || (i == 100 && left != 0)) {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      left = ZSTD_compressStream2(context, &to, &in, i < 100 ? ZSTD_e_continue : ZSTD_e_end);
      packed.append(out.data(), to.pos);
    }
  }
  ZSTD_freeCCtx(context);
  ASSERT_LT(packed.size(), 20000U);
  try {
    const auto source = text_source(packed);
    const auto tar = unpacking(source, Packing::zstd, kCodes, std::uint64_t{1} << 40);
    while (!tar().empty()) continue;
    ADD_FAILURE() << "unpacked";
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.reason(), "ratio");
  }
  Made many;
  for (int i = 0; i < 101; ++i) many.add(("f" + std::to_string(i)).c_str(), AE_IFREG);
  EXPECT_EQ(refusal(many.done()), "size");
  Made large;
  EXPECT_EQ(refusal(large.add("a", AE_IFREG, std::string(70000, 'a')).done(), Packing::none, {65536, 100}), "size");
}

TEST(Layer, RefusesNamesThatAreNoPlainPaths) {
  for (const char* name : {"/etc/passwd", "../x", "a/../../x", "a/./b", "a//b", "a\nb", "a\x7f", "a\xff"}) {
    Made tar(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR);
    EXPECT_EQ(refusal(tar.add(name, AE_IFREG, "x").done()), "path") << name;
  }
  Made deep;
  std::string path = "a";
  for (int i = 0; i < 300; ++i) path += "/a";
  EXPECT_EQ(refusal(deep.add(path.c_str(), AE_IFREG, "x").done()), "path");
  for (const char* target : {"/etc/passwd", "../x", ""}) {
    Made tar(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR);
    const std::string got = refusal(tar.add("l", AE_IFREG, "", target).done());
    EXPECT_EQ(got, *target == '\0' ? "read" : "link") << target;
  }
  Made link(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR);
  EXPECT_EQ(refusal(link.add("l", AE_IFLNK, "", "a\nb").done()), "link");
}

TEST(Layer, PassesOnWhatTheVisitorThrows) {
  Made tar;
  tar.add("a", AE_IFREG, "x");
  const auto stop = [](const LayerEntry&, MemberReader&) { throw fault::Error(fault::Code::no_space, "full", "full"); };
  EXPECT_THROW((void)read_layer(text_source(tar.done()), Packing::none, kCodes, kLimits, stop), fault::Error);
}

}  // namespace
}  // namespace stella::archive
