// SPDX-License-Identifier: Apache-2.0
#include "appliance/image/image.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "appliance/image/unpacking.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "tests/builders/foreign_tar.hpp"

namespace stella::image {
namespace {

using builders::Made;
using canon::Json;

struct Place {
  std::string path;
  Place() {
    std::string text = std::filesystem::temp_directory_path() / "stella-image-XXXXXX";
    path = ::mkdtemp(text.data());
  }
  Place(Place&&) = delete;
  ~Place() { files::remove_tree(path); }
};

// An OCI layout beneath pack/images/tools, and a home.
struct Case {
  Place place;
  files::Home home = files::Home::open(place.path + "/home");
  std::string layout = place.path + "/pack/images/tools";
  std::vector<std::string> tars;
  Json config = {{"os", "linux"}, {"architecture", machine()}, {"rootfs", {{"type", "layers"}}}};
  Json manifest = {{"schemaVersion", 2}, {"layers", Json::array()}};
  std::string suffix;

  Case& layer(Made& tar) {
    tars.push_back(tar.done());
    return *this;
  }
  Json put(const std::string& bytes, const std::string& type) const {
    files::make_folders(layout + "/blobs/sha256");
    const canon::Digest digest = canon::sha256(bytes);
    files::write_atomically(layout + "/blobs/sha256/" + digest.hex(), bytes, 0600);
    return {{"mediaType", type}, {"digest", digest.tagged()}, {"size", bytes.size()}};
  }
  pack::Runtime build() {
    Json ids = Json::array();
    for (const std::string& tar : tars) {
      ids.push_back(canon::sha256(tar).tagged());
      manifest["layers"].push_back(put(tar, "application/vnd.oci.image.layer.v1.tar" + suffix));
    }
    if (!config["rootfs"].contains("diff_ids")) config["rootfs"]["diff_ids"] = ids;
    manifest["config"] = put(canon::canonical(config), "application/vnd.oci.image.config.v1+json");
    const Json self = put(canon::canonical(manifest), "application/vnd.oci.image.manifest.v1+json");
    files::write_atomically(layout + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})", 0600);
    files::write_atomically(layout + "/index.json", canon::canonical({{"schemaVersion", 2}, {"manifests", {self}}}),
                            0600);
    return {"tools", canon::parse_digest(self["digest"].get<std::string>(), fault::Code::internal, "")};
  }
  [[nodiscard]] std::string root_of(const pack::Runtime& runtime) const {
    const Found found = find(runtime, layouts_in_folder(place.path + "/pack", "tools"));
    files::make_folders(place.path + "/out");
    (void)unpack(found, place.path + "/out");
    return place.path + "/out/rootfs";
  }
  [[nodiscard]] std::string unpacked() { return root_of(build()); }
  [[nodiscard]] std::string refusal(fault::Code code = fault::Code::pack_invalid) {
    try {
      (void)unpacked();
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.reason();
    }
    return "unpacked";
  }
};

std::string text(const std::string& path) {
  return files::read_input(path, {1 << 20, files::Empty::allow});
}
bool is_there(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

TEST(Image, LaterLayersCoverAndRemoveWhatEarlierOnesHave) {
  Made first, second;
  first.add("etc/a", AE_IFREG, "1").add("etc/b", AE_IFREG, "1").add("opt/x/one", AE_IFREG, "1");
  first.add("opt/y/two", AE_IFREG, "1").add("gone/deep/file", AE_IFREG, "1").add("was-file", AE_IFREG, "1");
  second.add("opt/x/.wh..wh..opq", AE_IFREG).add("opt/x/new", AE_IFREG, "2").add("etc/.wh.b", AE_IFREG);
  second.add("etc/a", AE_IFREG, "2").add(".wh.gone", AE_IFREG).add("was-file/", AE_IFDIR).add("etc/.wh.none", AE_IFREG);
  second.add("opt/y/kept", AE_IFREG, "2").add(".wh..wh.plnk", AE_IFREG);
  Case made;
  const std::string root = made.layer(first).layer(second).unpacked();
  EXPECT_EQ(text(root + "/etc/a"), "2");
  EXPECT_EQ(text(root + "/opt/x/new"), "2");
  EXPECT_EQ(text(root + "/opt/y/two"), "1");
  EXPECT_TRUE(std::filesystem::is_directory(root + "/was-file"));
  for (const char* gone : {"etc/b", "opt/x/one", "gone", "etc/.wh.b", "opt/x/.wh..wh..opq", ".wh..wh.plnk"})
    EXPECT_FALSE(is_there(root + "/" + gone)) << gone;
}

TEST(Image, AWhiteoutIsAboutTheLayersBelowWhereverItStands) {
  Made first, second;
  first.add("d/old", AE_IFREG, "1");
  second.add("d/new", AE_IFREG, "2").add("d/.wh..wh..opq", AE_IFREG).add("d/.wh.new", AE_IFREG);
  Case made;
  const std::string root = made.layer(first).layer(second).unpacked();
  EXPECT_EQ(text(root + "/d/new"), "2");
  EXPECT_FALSE(is_there(root + "/d/old"));
}

TEST(Image, KeepsLinksAndDropsWhatGivesPower) {
  Made tar;
  tar.add("usr/bin/tool", AE_IFREG, "x", nullptr, 06755).add("usr/bin/same", AE_IFREG, "", "usr/bin/tool");
  tar.add("bin", AE_IFLNK, {}, "usr/bin")
      .add("sbin", AE_IFLNK, {}, "/usr/bin")
      .add("bin/more", AE_IFREG, "y", nullptr, 0600);
  tar.add("dev/sda", AE_IFBLK).add("pipe", AE_IFIFO).add("open", AE_IFDIR, {}, nullptr, 0000);
  Case made;
  const std::string root = made.layer(tar).unpacked();
  struct stat tool {
  }, same{};
  ASSERT_EQ(::stat((root + "/usr/bin/tool").c_str(), &tool), 0);
  ASSERT_EQ(::stat((root + "/usr/bin/same").c_str(), &same), 0);
  EXPECT_EQ(tool.st_mode & 07777U, 0755U);
  EXPECT_EQ(tool.st_ino, same.st_ino);
  EXPECT_EQ(tool.st_mtime, 1700000000);
  EXPECT_EQ(std::filesystem::read_symlink(root + "/sbin"), "/usr/bin");
  EXPECT_EQ(text(root + "/usr/bin/more"), "y");  // through the link, inside the image
  EXPECT_FALSE(is_there(root + "/dev/sda"));
  EXPECT_FALSE(is_there(root + "/pipe"));
}

TEST(Image, RefusesWhatWouldLeaveTheRoot) {
  const auto refused = [](const std::function<void(Made&)>& fill) {
    Made tar(ARCHIVE_FILTER_NONE, ARCHIVE_FORMAT_TAR_USTAR);
    fill(tar);
    return Case{}.layer(tar).refusal();
  };
  EXPECT_EQ(refused([](Made& tar) { tar.add("../escape", AE_IFREG, "x"); }), "path");
  EXPECT_EQ(refused([](Made& tar) { tar.add("/etc/cron.d/x", AE_IFREG, "x"); }), "path");
  EXPECT_EQ(refused([](Made& tar) { tar.add("a/l", AE_IFLNK, {}, "../../etc"); }), "link");
  EXPECT_EQ(refused([](Made& tar) { tar.add("l", AE_IFREG, "", "/etc/shadow"); }), "link");
  EXPECT_EQ(refused([](Made& tar) { tar.add("l", AE_IFREG, "", "missing"); }), "link");
  EXPECT_EQ(refused([](Made& tar) { tar.add("d/", AE_IFDIR).add("l", AE_IFREG, "", "d"); }), "link");
  EXPECT_EQ(
      refused([](Made& tar) { tar.add("a", AE_IFLNK, {}, "b").add("b", AE_IFLNK, {}, "a").add("a/x", AE_IFREG); }),
      "link");
  EXPECT_EQ(refused([](Made& tar) { tar.add("f", AE_IFREG, "x").add("f/x", AE_IFREG, "x"); }), "path");
  EXPECT_EQ(refused([](Made& tar) { tar.add("d/.wh...", AE_IFREG); }), "path");
  EXPECT_EQ(refused([](Made& tar) { tar.add(".wh..wh..opq/x", AE_IFREG).add(".wh.", AE_IFREG); }), "path");
}

TEST(Image, AnAbsoluteLinkOnTheWayStaysInsideTheImage) {
  Made tar;
  tar.add("out", AE_IFLNK, {}, "/tmp/stella-image-escape").add("out/file", AE_IFREG, "inside");
  Case made;
  const std::string root = made.layer(tar).unpacked();
  EXPECT_EQ(text(root + "/tmp/stella-image-escape/file"), "inside");
  EXPECT_FALSE(is_there("/tmp/stella-image-escape"));
}

TEST(Image, RefusesBytesThatAreNotTheirDigests) {
  const auto tool = [](Made& tar) -> Made& { return tar.add("tool", AE_IFREG, "x"); };
  Made one, two, three;
  Case layer;
  layer.layer(tool(one));
  const pack::Runtime pinned = layer.build();
  std::string bytes = layer.tars[0];
  bytes[600] = 'y';
  const std::string blob = layer.layout + "/blobs/sha256/" + canon::sha256(layer.tars[0]).hex();
  files::write_atomically(blob, bytes, 0600);
  EXPECT_EQ(
      [&] {
        try {
          (void)layer.root_of(pinned);
        } catch (const fault::Error& error) {
          return std::string(error.what());
        }
        return std::string();
      }(),
      "the bytes of the layer are not its digest's");
  Case diff;
  diff.config["rootfs"]["diff_ids"] = {canon::sha256(std::string_view("other")).tagged()};
  EXPECT_EQ(diff.layer(tool(two)).refusal(fault::Code::pack_hash_mismatch), "image");
  Case count;
  count.config["rootfs"]["diff_ids"] = Json::array();
  EXPECT_EQ(count.layer(tool(three)).refusal(), "image");
  Case manifest;
  const pack::Runtime whole = manifest.build();
  const std::string path = manifest.layout + "/blobs/sha256/" + whole.digest.hex();
  files::write_atomically(path, text(path) + " ", 0600);
  EXPECT_THROW((void)manifest.root_of(whole), fault::Error);
}

TEST(Image, RefusesAnIndexWithTheDigestToPin) {
  Case made;
  const pack::Runtime single = made.build();
  const Json entry = {{"digest", single.digest.tagged()}, {"platform", {{"os", "linux"}, {"architecture", machine()}}}};
  const Json other = {{"digest", "sha256:x"}, {"platform", {{"os", "linux"}, {"architecture", "s390x"}}}};
  const Json index = made.put(canon::canonical({{"schemaVersion", 2}, {"manifests", {other, entry}}}), "index");
  try {
    (void)made.root_of({"tools", canon::parse_digest(index["digest"].get<std::string>(), fault::Code::internal, "")});
    FAIL() << "an index was taken";
  } catch (const fault::Error& error) {
    EXPECT_NE(error.fix().find(single.digest.tagged()), std::string::npos) << error.fix();
  }
}

TEST(Image, SaysWhatIsThereInsteadOfWhatIsPinned) {
  Case made;
  const pack::Runtime there = made.build();
  try {
    (void)made.root_of({"tools", canon::sha256(std::string_view("another"))});
    FAIL() << "found";
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_not_found);
    EXPECT_EQ(error.reason(), "image");
    EXPECT_NE(std::string(error.what()).find(there.digest.tagged()), std::string::npos) << error.what();
  }
}

TEST(Image, ReadsTheEnvironmentStrictly) {
  Case made;
  made.config["config"] = {{"Env", {"PATH=/opt/bin:/bin", "EMPTY=", "A=b=c"}}, {"Cmd", {"sh"}}, {"User", "0"}};
  const Config config = parse_config(canon::canonical([&] {
                                       (void)made.build();
                                       return made.config;
                                     }()),
                                     "config");
  EXPECT_EQ(config.env.at("PATH"), "/opt/bin:/bin");
  EXPECT_EQ(config.env.at("EMPTY"), "");
  EXPECT_EQ(config.env.at("A"), "b=c");
  for (const char* bad : {"NOTHING", "=x", "9A=x", "A B=x"}) {
    Case other;
    other.config["config"] = {{"Env", {bad}}};
    EXPECT_EQ(other.refusal(), "image") << bad;
  }
}

TEST(Image, RefusesForeignTypesByName) {
  Case docker;
  docker.suffix = "+br";
  Made tar;
  EXPECT_EQ(docker.layer(tar.add("a", AE_IFREG)).refusal(), "image");
  Case type;
  type.manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json";
  EXPECT_EQ(type.refusal(), "image");
}

// The registry's copy serves a pack that carries none.
struct Prepare : ::testing::Test {
  Case made;
  pack::Runtime runtime;
  packfile::Opened pack;
  void SetUp() override {
    Made tar;
    tar.add("bin/tool", AE_IFREG, "tool", nullptr, 0755).add("etc/x", AE_IFLNK, {}, "../bin/tool");
    tar.add("lib/a", AE_IFREG, "a").add("dev/null", AE_IFCHR);
    made.layout = made.home.mirror();
    runtime = made.layer(tar).build();
  }
  Prepared go() { return prepare(runtime, pack, made.home); }
  std::string refused() {
    try {
      (void)go();
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), fault::Code::pack_hash_mismatch) << error.what();
      return error.reason();
    }
    return "prepared";
  }
};

TEST_F(Prepare, UnpacksOnceAndFindsItAgain) {
  const Prepared first = go();
  EXPECT_EQ(text(first.root + "/bin/tool"), "tool");
  EXPECT_EQ(first.left_out, 1U);
  files::remove_tree(made.home.mirror());
  const Prepared second = go();
  EXPECT_EQ(second.root, first.root);
  EXPECT_EQ(second.tree, first.tree);
  for (const auto& entry : std::filesystem::directory_iterator(made.home.images()))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".unpacking")) << entry.path();
}

TEST_F(Prepare, NoticesATreeThatWasChanged) {
  const std::string root = go().root, place = made.home.images() + "/" + runtime.digest.hex();
  const auto changed = [&](const std::string& what, const std::function<void()>& change) {
    files::remove_tree(place);
    (void)go();
    change();
    EXPECT_EQ(refused(), "image") << what;
  };
  changed("content", [&] { std::ofstream(root + "/bin/tool") << "evil"; });
  changed("added", [&] { std::ofstream(root + "/zz") << "x"; });
  changed("added first", [&] { std::ofstream(root + "/a") << "x"; });
  changed("removed", [&] { files::remove_tree(root + "/lib/a"); });
  changed("mode", [&] { ::chmod((root + "/bin/tool").c_str(), 04755); });
  changed("folder mode", [&] { ::chmod((root + "/bin").c_str(), 0777); });
  changed("link", [&] {
    files::remove_tree(root + "/etc/x");
    std::filesystem::create_symlink("/etc/passwd", root + "/etc/x");
  });
  changed("config", [&] { std::ofstream(place + "/config.json") << "{}"; });
  changed("manifest", [&] { std::ofstream(place + "/manifest.json") << "{}"; });
  changed("listing", [&] { std::ofstream(place + "/tree.list") << "stella.image-tree.v1\n"; });
  changed("no listing", [&] { files::remove_tree(place + "/tree.list"); });
}

TEST_F(Prepare, TakesAwayWhatADeadUnpackerLeft) {
  files::make_folders(made.home.images() + "/.unpacking-0000/rootfs/bin");
  (void)go();
  EXPECT_FALSE(is_there(made.home.images() + "/.unpacking-0000"));
}

TEST_F(Prepare, RefusesAnImageForAnotherMachine) {
  made.config["architecture"] = "s390x";
  made.manifest["layers"].clear();
  runtime = made.build();
  EXPECT_THROW((void)go(), fault::Error);
}

}  // namespace
}  // namespace stella::image
