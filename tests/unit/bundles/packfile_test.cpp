// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundles/canon/json.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/config.hpp"
#include "bundles/packfile/ignore.hpp"
#include "bundles/packfile/oci.hpp"

namespace stella::packfile {
namespace {

class Packfile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "packfile-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    put("src/pack.yaml", "name: demo\n");
    put("src/steps/check.sh", "#!/bin/sh\necho hello\n", 0755);
    put("src/docs/usage.md", "");
    put("src/big.bin", std::string((1 << 20) + 7, 'b'));
  }
  void TearDown() override { files::remove_tree(root_); }

  [[nodiscard]] std::string at(const std::string& path) const { return root_ + "/" + path; }
  void put(const std::string& path, const std::string& bytes, unsigned mode = 0644) const {
    files::make_folders(at(path).substr(0, at(path).rfind('/')), 0755);
    files::write_atomically(at(path), bytes, mode);
  }
  [[nodiscard]] std::string get(const std::string& path) const {
    return files::read_input(at(path), {1 << 30, files::Empty::allow});
  }
  Built pack(const std::string& out = "x.pack", const trust::PrivateKey* key = nullptr) const {
    return build(at("src"), "demo", "1.0.0", at(out), key);
  }
  Opened load(const std::string& file = "x.pack") { return open(at(file), at("blobs-" + std::to_string(++opened_))); }
  // `CODE reason` of what opening says, or `opened`.
  std::string refusal(const std::string& file = "x.pack") {
    try {
      (void)load(file);
    } catch (const fault::Error& error) {
      return fmt::format("{} {}", fault::info(error.code()).name, error.reason());
    }
    return "opened";
  }
  // The members of x.pack, changed and written again as bad.pack.
  std::string rewritten(const std::function<void(std::map<std::string, std::string>&)>& change) {
    std::map<std::string, std::string> members;
    const std::string bytes = get("x.pack");
    archive::read_tar(archive::text_source(bytes), {fault::Code::internal, "x"}, {1 << 30},
                      [&](const archive::Member& member, archive::MemberReader& content) {
                        std::string& data = members[member.path];
                        for (auto piece = content.next(); !piece.empty(); piece = content.next()) data += piece;
                      });
    change(members);
    std::string out;
    archive::TarWriter tar([&](std::string_view piece) { out += piece; });
    for (const auto& [path, data] : members) tar.file(path, 0644, data);
    tar.finish();
    put("bad.pack", out);
    return refusal("bad.pack");
  }
  // Replaces the manifest by a changed one that the index names.
  std::string with_manifest(const std::function<void(canon::Json&, std::map<std::string, std::string>&)>& change) {
    const Opened pack = load();
    return rewritten([&](auto& members) {
      canon::Json manifest = canon::parse_json(pack.manifest_bytes, fault::Code::internal, "manifest");
      members.erase("blobs/sha256/" + pack.manifest_digest.hex());
      change(manifest, members);
      const std::string bytes = canon::canonical(manifest);
      members["blobs/sha256/" + canon::sha256(bytes).hex()] = bytes;
      members["index.json"] =
          write_index({std::string(kManifestType), canon::sha256(bytes), bytes.size()}, "demo:1.0.0");
    });
  }

  std::string root_;
  int opened_ = 0;
};

TEST_F(Packfile, BuildsTheSameBytesEveryTime) {
  const Built first = pack("one.pack");
  ASSERT_EQ(::chmod(at("src/pack.yaml").c_str(), 0600), 0) << "only the owner's exec bit counts";
  const Built second = pack("two.pack");
  EXPECT_EQ(get("one.pack"), get("two.pack"));
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.size_bytes, get("one.pack").size());
}

TEST_F(Packfile, BuildingInTheFolderItselfChangesNothing) {
  const Built outside = pack();
  (void)build(at("src"), "demo", "1.0.0", at("src/demo-1.0.0.pack"), nullptr);
  EXPECT_EQ(build(at("src"), "demo", "1.0.0", at("src/demo-1.0.0.pack"), nullptr).digest, outside.digest);
  EXPECT_EQ(files::list_tree(at("src")).size(), 7U) << "no spool is left behind";
}

TEST_F(Packfile, OpensWhatItBuilt) {
  const Built built = pack();
  const Opened opened = load();
  EXPECT_EQ(opened.name_version(), "demo:1.0.0");
  EXPECT_EQ(opened.digest, built.digest);
  EXPECT_EQ(opened.digest, canon::sha256(opened.config_bytes)) << "the pack digest is the config's";
  ASSERT_EQ(opened.files.size(), 4U);
  EXPECT_EQ(opened.files[0].path, "big.bin");
  EXPECT_EQ(opened.files[3].mode, 0755U);
  EXPECT_EQ(opened.layers.size(), 2U) << "small files together, a large one alone";
  EXPECT_TRUE(opened.signatures.empty());
}

TEST_F(Packfile, ALargeFileKeepsItsLayerAcrossVersions) {
  (void)pack();
  const Opened before = load();
  put("src/docs/usage.md", "changed");
  (void)pack();
  const Opened after = load();
  EXPECT_NE(before.layers[0], after.layers[0]);
  EXPECT_EQ(before.layers[1], after.layers[1]);
}

TEST_F(Packfile, SigningKeepsThePackDigest) {
  const trust::PrivateKey key = trust::PrivateKey::generate(), other = trust::PrivateKey::generate();
  const Built built = pack();
  EXPECT_EQ(add_signature(at("x.pack"), key).digest, built.digest);
  EXPECT_EQ(load().signatures.size(), 1U);
  const std::string once = get("x.pack");
  (void)add_signature(at("x.pack"), key);
  EXPECT_EQ(get("x.pack"), once) << "the same key again changes nothing";
  (void)add_signature(at("x.pack"), other);
  EXPECT_EQ(load().signatures.size(), 2U);
  (void)pack("signed.pack", &key);
  EXPECT_EQ(get("signed.pack"), once) << "signed at once or later";
}

TEST_F(Packfile, UnpacksEveryFileWithItsMode) {
  (void)pack();
  const mode_t before = ::umask(077);
  unpack(load(), at("tree"));
  ::umask(before);
  EXPECT_EQ(get("tree/pack.yaml"), "name: demo\n");
  EXPECT_EQ(get("tree/big.bin").size(), (1U << 20) + 7);
  const auto tree = files::list_tree(at("tree"));
  ASSERT_EQ(tree.size(), 6U);
  for (const auto& entry : tree) {
    const bool runs = entry.kind == files::Kind::folder || entry.path == "steps/check.sh";
    EXPECT_EQ(entry.mode, runs ? 0755U : 0644U) << entry.path;
  }
  EXPECT_THROW(unpack(load(), at("tree")), fault::Error) << "never into an existing folder";
}

TEST_F(Packfile, ReadsOneFile) {
  (void)pack();
  const Opened opened = load();
  EXPECT_EQ(read_file(opened, "pack.yaml", 100), "name: demo\n");
  EXPECT_EQ(read_file(opened, "docs/usage.md", 100), "");
  for (const auto& [path, reason] : {std::pair<std::string, std::string>{"none", "file"}, {"big.bin", "size"}}) {
    try {
      (void)read_file(opened, path, 100);
      ADD_FAILURE() << path;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.reason(), reason);
    }
  }
}

TEST_F(Packfile, NoticesABlobThatChangedAfterOpening) {
  (void)pack();
  const Opened opened = load();
  const std::string blob = opened.blobs + "/" + opened.layers[0].hex();
  std::string bytes = files::read_input(blob, {1 << 20});
  bytes[bytes.find("echo")] = 'E';
  files::write_atomically(blob, bytes, 0600);
  EXPECT_THROW((void)read_file(opened, "steps/check.sh", 100), fault::Error);
  EXPECT_THROW(unpack(opened, at("tree")), fault::Error);
  EXPECT_THROW(write_pack(opened, at("again.pack")), fault::Error);
  EXPECT_NE(::access(at("again.pack").c_str(), F_OK), 0);
}

TEST_F(Packfile, WritesTheSameTarAgain) {
  const trust::PrivateKey key = trust::PrivateKey::generate();
  (void)pack("x.pack", &key);
  write_pack(load(), at("copy.pack"));
  EXPECT_EQ(get("copy.pack"), get("x.pack"));
}

TEST_F(Packfile, OpensALayoutFolderAndMembersInAnyOrder) {
  const Built built = pack();
  EXPECT_EQ(rewritten([](auto&) {}), "opened") << "sorted by name: blobs before the index";
  EXPECT_EQ(load("bad.pack").digest, built.digest);
  const std::string bytes = get("x.pack");
  archive::read_tar(archive::text_source(bytes), {fault::Code::internal, "x"}, {1 << 30},
                    [&](const archive::Member& member, archive::MemberReader& content) {
                      std::string data;
                      for (auto piece = content.next(); !piece.empty(); piece = content.next()) data += piece;
                      put("layout/" + member.path, data);
                    });
  put("layout/blobs/sha256/" + std::string(64, 'a'), "another image's");
  EXPECT_EQ(load("layout").manifest_digest, load().manifest_digest);
  ASSERT_EQ(::unlink(at("layout/oci-layout").c_str()), 0);
  EXPECT_EQ(refusal("layout"), "ERR_PACK_INVALID oci");
}

TEST_F(Packfile, NamesTruncationAndEdits) {
  (void)pack();
  const std::string good = get("x.pack");
  for (const std::size_t keep :
       {std::size_t{1}, std::size_t{700}, good.size() / 2, good.size() - 1, good.size() - 600}) {
    put("bad.pack", good.substr(0, keep));
    EXPECT_EQ(refusal("bad.pack"), "ERR_PACK_INVALID truncated") << keep;
  }
  std::string edited = good;
  edited[good.find("echo hello")] = 'E';
  put("bad.pack", edited);
  EXPECT_EQ(refusal("bad.pack"), "ERR_PACK_SIGNATURE digest");
  put("bad.pack", good + std::string(512, 'x'));
  EXPECT_EQ(refusal("bad.pack"), "ERR_PACK_INVALID tar");
}

TEST_F(Packfile, RefusesWhatIsNoPack) {
  put("bad.pack", std::string(5000, 'z'));
  EXPECT_EQ(refusal("bad.pack"), "ERR_PACK_INVALID tar");
  put("bad.pack", "");
  EXPECT_EQ(refusal("bad.pack"), "ERR_FILE_UNSUITABLE empty");
  put("x.pack.zst", "zz");
  EXPECT_EQ(refusal("x.pack.zst"), "ERR_PACK_INVALID zst");
  EXPECT_EQ(refusal("missing"), "ERR_FILE_NOT_FOUND missing");
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal("pipe"), "ERR_FILE_UNSUITABLE fifo");
  EXPECT_EQ(refusal("src"), "ERR_PACK_INVALID oci");
}

TEST_F(Packfile, RefusesStrangersInTheLayout) {
  (void)pack();
  EXPECT_EQ(rewritten([](auto& m) { m["readme.txt"] = "x"; }), "ERR_PACK_INVALID oci");
  EXPECT_EQ(rewritten([](auto& m) { m.erase("oci-layout"); }), "ERR_PACK_INVALID oci");
  EXPECT_EQ(rewritten([](auto& m) { m.erase("index.json"); }), "ERR_PACK_INVALID oci");
  EXPECT_EQ(rewritten([](auto& m) { m["index.json"] = "{"; }), "ERR_PACK_INVALID json");
  EXPECT_EQ(rewritten([](auto& m) { m["oci-layout"] = R"({"imageLayoutVersion":"9"})"; }), "ERR_PACK_INVALID oci");
  EXPECT_EQ(rewritten([](auto& m) { m["blobs/sha256/" + canon::sha256("x").hex()] = "x"; }), "ERR_PACK_INVALID layer");
  EXPECT_EQ(rewritten([](auto& m) { m["blobs/sha256/" + canon::sha256("x").hex()] = "y"; }),
            "ERR_PACK_SIGNATURE digest");
  const std::string two = write_index({std::string(kManifestType), canon::sha256("x"), 1}, "a:1");
  EXPECT_EQ(rewritten([&](auto& m) {
              canon::Json index = canon::parse_json(m["index.json"], fault::Code::internal, "i");
              index["manifests"].push_back(canon::parse_json(two, fault::Code::internal, "i")["manifests"][0]);
              m["index.json"] = index.dump();
            }),
            "ERR_PACK_INVALID oci");
}

TEST_F(Packfile, RefusesLayersThatNobodyListed) {
  (void)pack();
  const auto extra = [](std::string_view type) {
    return [type](canon::Json& manifest, std::map<std::string, std::string>& members) {
      members["blobs/sha256/" + canon::sha256("extra").hex()] = "extra";
      manifest["layers"].push_back({{"mediaType", type}, {"digest", canon::sha256("extra").tagged()}, {"size", 5}});
    };
  };
  EXPECT_EQ(with_manifest([](auto&, auto&) {}), "opened");
  EXPECT_EQ(with_manifest(extra(kLayerType)), "ERR_PACK_INVALID layer");
  EXPECT_EQ(with_manifest(extra("application/vnd.oci.image.layer.v1.tar")), "ERR_PACK_INVALID layer");
  EXPECT_EQ(with_manifest(extra(kSignatureType)), "ERR_PACK_INVALID json") << "no envelope";
  EXPECT_EQ(with_manifest([](auto& m, auto&) { std::swap(m["layers"][0], m["layers"][1]); }), "ERR_PACK_INVALID layer");
  EXPECT_EQ(with_manifest([](auto& m, auto&) { m["artifactType"] = "application/x"; }), "ERR_PACK_INVALID oci");
  EXPECT_EQ(with_manifest([](auto& m, auto&) { m["layers"][0]["urls"] = {"http://x"}; }), "ERR_PACK_INVALID oci");
  EXPECT_EQ(with_manifest([](auto& m, auto&) { m["config"]["size"] = 5; }), "ERR_PACK_SIGNATURE digest");
}

TEST_F(Packfile, RefusesAConfigThatDoesNotAddUp) {
  const canon::Json file = {{"path", "a"}, {"mode", "0644"}, {"size", 1}, {"sha256", std::string(64, '0')}};
  const canon::Json good = {{"schema", "stella.pack.config.v1"},
                            {"name", "demo"},
                            {"version", "1.0.0"},
                            {"files", canon::Json::array({file})},
                            {"layers", canon::Json::array({canon::sha256("x").tagged()})}};
  const auto reason = [&](const std::function<void(canon::Json&)>& change) -> std::string {
    canon::Json config = good;
    change(config);
    try {
      (void)parse_config(canon::canonical(config), "config");
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return "good";
  };
  EXPECT_EQ(reason([](auto&) {}), "good");
  EXPECT_EQ(reason([](auto& c) { c["files"][0]["path"] = "../a"; }), "path");
  EXPECT_EQ(reason([](auto& c) { c["files"][0]["path"] = "/a"; }), "path");
  EXPECT_EQ(reason([](auto& c) { c["files"][0]["mode"] = "4755"; }), "config");
  EXPECT_EQ(reason([](auto& c) { c["files"].push_back(c["files"][0]); }), "duplicate");
  EXPECT_EQ(reason([](auto& c) { c["layers"].push_back(c["layers"][0]); }), "layer");
  EXPECT_EQ(reason([](auto& c) { c["name"] = "../demo"; }), "name");
  EXPECT_EQ(reason([](auto& c) { c["version"] = "1/2"; }), "name");
  EXPECT_EQ(reason([](auto& c) { c["extra"] = 1; }), "config");
  EXPECT_THROW((void)parse_config(good.dump(2), "config"), fault::Error) << "not canonical";
}

TEST_F(Packfile, BuildRefusesLinksAndSpecialFilesByName) {
  ASSERT_EQ(::symlink("/etc/passwd", at("src/link").c_str()), 0);
  try {
    (void)pack();
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.reason(), "link");
    EXPECT_TRUE(error.at().ends_with("/src/link")) << error.at();
  }
  put("src/.packignore", "link\n");
  EXPECT_EQ(pack().name, "demo");
  ASSERT_EQ(::mkfifo(at("src/pipe").c_str(), 0600), 0);
  EXPECT_THROW((void)pack(), fault::Error);
  put("src/.packignore", "link\npipe\npack.yaml\n");
  EXPECT_THROW((void)pack(), fault::Error) << "pack.yaml may not be left out";
}

TEST(IgnoreRules, LeaveOutByNamePathAndFolder) {
  const IgnoreRules rules = IgnoreRules::parse("# comment\n\n*.tmp\n/build\nlogs/\ndocs/*.draft\n");
  for (const char* path : {"a.tmp", "deep/b.tmp", "build", "build/x/y", "logs/a", "x/logs/b", "docs/a.draft",
                           ".git/config", "demo.pack", ".packignore"}) {
    EXPECT_TRUE(rules.leaves_out(path, false)) << path;
  }
  for (const char* path : {"a.txt", "x/build", "logs", "docs/x/a.draft", "x/demo.pack", "a.tmpx"}) {
    EXPECT_FALSE(rules.leaves_out(path, false)) << path;
  }
  EXPECT_THROW((void)IgnoreRules::parse("!keep\n"), fault::Error);
  EXPECT_THROW((void)IgnoreRules::parse("/\n"), fault::Error);
}

}  // namespace
}  // namespace stella::packfile
