// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bundles/archive/tar.hpp"
#include "bundles/files/write.hpp"
#include "mirror/intake/feed.hpp"
#include "mirror/intake/selection.hpp"
#include "mirror/intake/trust_root.hpp"
#include "mirror/intake/volume_reader.hpp"
#include "mirror/metadata/document.hpp"

namespace stella::intake {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "taken";
}

class Intake : public testing::Test {
 protected:
  Intake() : path_(testing::TempDir() + "intake-" + canon::random_hex(6)), home_(files::Home::open(path_ + "-home")) {
    std::filesystem::create_directory(path_);
  }
  ~Intake() override {
    files::remove_tree(path_);
    files::remove_tree(path_ + "-home");
  }
  std::string write(const std::string& name, std::string_view text) const {
    const std::filesystem::path file = path_ + "/" + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }

  std::string root(std::int64_t version, const std::string& source = "outside-1") const {
    metadata::Root made;
    made.header = {version, clock::Time{} + 24h, {.source = source, .generation = 0, .base = {}, .issued = {}}};
    const std::string id = metadata::key_id(key_.public_key());
    made.keys.emplace(id, key_.public_key());
    for (const char* role : {"root", "targets", "snapshot", "timestamp"}) made.roles[role] = {1, {id}};
    const trust::PrivateKey* signer = &key_;
    return metadata::sign_document(metadata::to_json(made), {&signer, 1});
  }
  static site::Policy listing(const std::string& name, const canon::Digest& digest) {
    site::Policy policy;
    policy.mirror_sources_listed = true;
    policy.mirror_sources = {{name, digest}};
    return policy;
  }

  std::string path_;
  files::Home home_;
  trust::PrivateKey key_ = trust::PrivateKey::generate();
};

TEST_F(Intake, PinsOnlyWhatThePolicyLists) {
  const std::string text = root(1);
  const site::Policy good = listing("outside-1", canon::sha256(text)), other = listing("outside-1", canon::sha256("x")),
                     renamed = listing("outside-2", canon::sha256(text));
  EXPECT_EQ(inspect_root(text, "root", &good).listing, Listing::by_policy);
  EXPECT_EQ(inspect_root(text, "root", nullptr).listing, Listing::by_nobody);
  EXPECT_EQ(refusal([&] { (void)inspect_root(text, "root", &other); }), "ERR_MIRROR_UNTRUSTED unlisted");
  EXPECT_EQ(refusal([&] { (void)inspect_root(text, "root", &renamed); }), "ERR_MIRROR_UNTRUSTED unlisted");
}

TEST_F(Intake, FollowsOneMirrorOnly) {
  EXPECT_EQ(refusal([&] { (void)load_trust(home_, nullptr); }), "ERR_MIRROR_UNTRUSTED no-root");
  EXPECT_EQ(pin(home_, inspect_root(root(1), "root", nullptr)), Pinned::now);
  EXPECT_EQ(pin(home_, inspect_root(root(1), "root", nullptr)), Pinned::already);
  EXPECT_EQ(refusal([&] { pin(home_, inspect_root(root(1, "outside-2"), "root", nullptr)); }),
            "ERR_MIRROR_UNTRUSTED pinned");
}

TEST_F(Intake, BelievesNoRootThatWasPlantedInTheHome) {
  pin(home_, inspect_root(root(1), "root", nullptr));
  metadata::TrustedRoot chain = load_trust(home_, nullptr).root;
  metadata::extend(chain, root(2), "2.root.json");
  store_roots(home_, chain);
  EXPECT_EQ(load_trust(home_, nullptr).root.root.header.version, 2);
  const trust::PrivateKey mine = std::exchange(key_, trust::PrivateKey::generate());
  files::write_atomically(home_.mirror() + "/trust/3.root.json", root(3), 0644);
  EXPECT_EQ(refusal([&] { (void)load_trust(home_, nullptr); }), "ERR_MIRROR_SIGNATURE threshold");
  files::write_atomically(home_.mirror() + "/trust/1.root.json", root(1), 0644);
  EXPECT_EQ(refusal([&] { (void)load_trust(home_, nullptr); }), "ERR_MIRROR_UNTRUSTED no-root");
}

TEST_F(Intake, ChoosesTheNewestFullBundleOfItsOwnMirror) {
  for (const char* name :
       {"outside-1-g2", "outside-1-g10", "outside-1-g11-from-g10", "other-g99", "outside-1-gx", "notes"}) {
    write("STELLA-MIRROR/" + std::string(name) + "/metadata/timestamp.json", name);
  }
  EXPECT_EQ(open_feed(path_, "outside-1")->name(), "outside-1-g10");
  EXPECT_EQ(open_feed(path_ + "/STELLA-MIRROR", "outside-1")->name(), "outside-1-g10");
  EXPECT_EQ(open_feed(path_, "unknown")->name(), "other-g99");
  EXPECT_EQ(open_feed(path_ + "/STELLA-MIRROR/outside-1-g2", "outside-1")->document("metadata/timestamp.json", 100),
            "outside-1-g2");
}

TEST_F(Intake, NeverFollowsALinkInABundle) {
  write("b/metadata/timestamp.json", "{}");
  write("secret", "secret");
  std::filesystem::create_symlink("../../secret", path_ + "/b/metadata/1.root.json");
  std::filesystem::create_directory_symlink(path_, path_ + "/b/data");
  const auto feed = open_feed(path_ + "/b", "");
  EXPECT_EQ(refusal([&] { (void)feed->document("metadata/1.root.json", 100); }), "ERR_MIRROR_MALFORMED link");
  EXPECT_EQ(refusal([&] { (void)feed->part("data/secret"); }), "ERR_MIRROR_MALFORMED link");
  EXPECT_EQ(refusal([&] { (void)feed->part("metadata/none"); }), "ERR_MIRROR_MALFORMED missing");
  EXPECT_EQ(refusal([&] { (void)feed->part("metadata"); }), "ERR_MIRROR_MALFORMED type");
  EXPECT_EQ(refusal([&] { (void)feed->document("metadata/timestamp.json", 1); }), "ERR_MIRROR_MALFORMED size");
  EXPECT_FALSE(feed->document("metadata/2.root.json", 100));
}

TEST_F(Intake, ReadsTheSameFromATarAsFromItsFolder) {
  const std::string large(3'000'000, 'x');
  std::string tar;
  archive::TarWriter writer([&](std::string_view bytes) { tar += bytes; });
  writer.folder("outside-1-g1", 0755);
  writer.file("outside-1-g1/data/0001.tar", 0644, large);
  writer.file("outside-1-g1/metadata/timestamp.json", 0644, "{}");
  writer.file("outside-1-g1/bundle.json", 0644, "hint");
  writer.finish();
  const auto feed = open_feed(write("bundle.tar", tar), "outside-1");
  EXPECT_EQ(feed->document("metadata/timestamp.json", 100), "{}");
  EXPECT_EQ(feed->document("bundle.json", 100), "hint");
  const Part part = feed->part("data/0001.tar");
  EXPECT_EQ(part.size_bytes, large.size());
  std::string end(7, '\0');
  part.read(large.size() - 7, end);
  EXPECT_EQ(end, "xxxxxxx");
  EXPECT_EQ(refusal([&] { part.read(large.size() - 6, end); }), "ERR_MIRROR_MALFORMED truncated");
}

TEST_F(Intake, TakesNoByteOfAVolumeThatIsNotSigned) {
  const std::string content = "content";
  const std::vector<volumes::Row> rows = volumes::lay_out({{canon::sha256(content), content.size()}});
  std::string volume = volumes::member_header(rows[0].blob) + content;
  volume += std::string(volumes::padding_after(content.size()) + volumes::kTail, '\0');
  const auto read_all = [&](const std::string& bytes) {
    write("b/data/0001.tar", bytes);
    return refusal([&] {
      const auto feed = open_feed(path_ + "/b", "");
      const VolumeReader reader(*feed, rows);
      std::string found;
      reader.fetch(rows[0], [&](std::string_view block) { found += block; });
      reader.check_tails();
      if (found != content) throw fault::Error(fault::Code::mirror_digest, "blob", "left to the store's hash");
    });
  };
  write("b/metadata/timestamp.json", "{}");
  EXPECT_EQ(read_all(volume), "taken");
  for (std::size_t at = 0; at < volume.size(); at += 3) {
    std::string bad = volume;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    EXPECT_NE(read_all(bad), "taken") << at;
  }
  EXPECT_EQ(read_all(volume + "x"), "ERR_MIRROR_MALFORMED truncated");
  EXPECT_EQ(read_all(volume.substr(0, 600)), "ERR_MIRROR_MALFORMED truncated");
}

metadata::Verified signed_packs(const std::vector<std::pair<std::string, std::vector<std::string>>>& packs) {
  metadata::Verified verified;
  for (const auto& [path, tenants] : packs) {
    verified.channels[path.substr(0, path.find('/'))].targets[path] = {
        10, canon::sha256("manifest"), {{"tenants", tenants}, {"packDigest", canon::sha256("config").tagged()}}};
  }
  return verified;
}

TEST(Selection, FollowsThePublishersTenantsAndThePolicysPatterns) {
  site::Policy policy;
  policy.tenants.push_back({.name = "plant-7", .packs = {"firmware-*"}, .operators = {}, .approvers = {}});
  policy.denied.push_back({"firmware-bad:1.0.0", "bricks rev B"});
  const auto verified = signed_packs({{"stable/firmware-a/1.0.0", {"plant-7"}},
                                      {"edge/firmware-a/1.0.0", {"plant-7"}},
                                      {"stable/firmware-b/1.0.0", {"plant-8"}},
                                      {"stable/firmware-bad/1.0.0", {}},
                                      {"stable/tool/1.0.0", {}}});
  const Selection selection = select_packs(verified, &policy);
  ASSERT_EQ(selection.packs.size(), 1U);
  EXPECT_EQ(selection.packs[0].name_version(), "firmware-a:1.0.0");
  EXPECT_EQ(selection.packs[0].channels, (std::vector<std::string>{"edge", "stable"}));
  EXPECT_EQ(selection.skipped.size(), 3U);
}

TEST(Selection, WithoutAPolicyTakesWhatIsForEverybody) {
  const Selection selection =
      select_packs(signed_packs({{"stable/a/1.0.0", {}}, {"stable/b/1.0.0", {"plant-7"}}}), nullptr);
  EXPECT_EQ(selection.packs.size(), 1U);
  EXPECT_EQ(selection.skipped.size(), 1U);
}

TEST(Selection, RefusesOneVersionWithTwoContents) {
  auto verified = signed_packs({{"stable/a/1.0.0", {}}, {"edge/a/1.0.0", {}}});
  verified.channels["edge"].targets["edge/a/1.0.0"].custom["packDigest"] = canon::sha256("other").tagged();
  EXPECT_EQ(refusal([&] { (void)select_packs(verified, nullptr); }), "ERR_MIRROR_DIGEST changed");
  EXPECT_EQ(refusal([&] {
              (void)select_packs(signed_packs({{"stable/a", {}}}), nullptr);
            }),
            "ERR_MIRROR_MALFORMED path");
}

}  // namespace
}  // namespace stella::intake
