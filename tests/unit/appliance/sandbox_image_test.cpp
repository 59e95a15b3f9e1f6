// SPDX-License-Identifier: Apache-2.0
// A step in a runtime image: its root is the image's, and nothing of the host's /usr is there.
#include <gtest/gtest.h>

#include "bundles/fault/error.hpp"
#include "tests/unit/appliance/sandbox_bench.hpp"

namespace stella::sandbox {
namespace {

namespace fs = std::filesystem;

// A tree with one static program, as an image would have it.
struct InImage : ::testing::Test {
  Site site;
  std::string tree = site.root + "/image";
  void SetUp() override {
    const std::string busybox = fs::exists("/usr/bin/busybox") ? "/usr/bin/busybox" : "/bin/busybox";
    if (!fs::exists(busybox)) GTEST_SKIP() << "busybox is not installed";
    for (const char* folder : {"usr/bin", "etc/app", "home/app", "run/image", "opt", "work/image"})
      fs::create_directories(tree + "/" + folder);
    fs::copy_file(busybox, tree + "/usr/bin/busybox");
    for (const char* name : {"sh", "ls", "cat", "id", "env", "mount", "wget", "find", "rm", "test"})
      fs::create_symlink("busybox", tree + "/usr/bin/" + std::string(name));
    fs::create_symlink("usr/bin", tree + "/bin");
    site.write("image/etc/passwd", "image:x:0:0::/:/bin/sh\n");
    site.write("image/etc/app/conf", "of the image\n");
    site.write("image/opt/note", "note\n");
  }
  [[nodiscard]] Spec spec(const std::string& script) const {
    Spec made = site.spec({"/bin/sh", "-c", script});
    made.root = tree;
    return made;
  }
  std::string out(const std::string& script) { return site.run(spec(script)).out; }
};

TEST_F(InImage, ShowsTheImagesFilesAndNotTheHosts) {
  EXPECT_EQ(out("cat /etc/app/conf /opt/note"), "of the image\nnote\n");
  EXPECT_EQ(out("ls /usr; ls /usr/bin/python3 /usr/lib /lib /var 2>/dev/null; true"), "bin\n");
  EXPECT_EQ(out("ls /"), "artifacts\nbin\ndev\netc\nhome\ninputs\nopt\npack\nproc\nrun\ntmp\nusr\nwork\n");
  EXPECT_EQ(out("ls /home /run /work /dev"),
            "/dev:\nfd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\nurandom\nzero\n\n/home:\napp\nstep\n\n"
            "/run:\nempty\nsecrets\nstella\n\n/work:\n");
}

TEST_F(InImage, MakesItsOwnUsersAndHosts) {
  EXPECT_EQ(out("id -un; cat /etc/passwd | grep -c image; cat /etc/hostname"), "stella\n0\nstella\n");
}

TEST_F(InImage, ChangesNothingOfTheTree) {
  const Outcome seen = site.run(
      spec("for p in /x /usr/x /usr/bin/sh /opt/note /opt/x /etc/x /etc/app/conf /etc/app/x /home/app/x /home/x; do "
           "(echo evil > $p) 2>/dev/null && echo WROTE $p; rm -f $p 2>/dev/null; done; mount -o remount,rw /usr "
           "2>/dev/null && echo REMOUNTED; mount -t tmpfs none /opt 2>/dev/null && echo MOUNTED; cat /opt/note"));
  EXPECT_EQ(seen.out, "note\n") << seen.err;
  EXPECT_EQ(site.read("image/opt/note"), "note\n");
  EXPECT_FALSE(fs::exists(tree + "/pack"));
  EXPECT_TRUE(fs::exists(tree + "/run/image"));
}

TEST_F(InImage, TakesPathAndVariablesOfTheImageButNotWhoTheStepIs) {
  fs::create_directories(tree + "/opt/bin");
  fs::create_symlink("/usr/bin/busybox", tree + "/opt/bin/ls");
  Spec wanted = spec("");
  wanted.argv = {"env"};
  wanted.root_env = {
      {"PATH", "/opt/bin:/usr/bin"}, {"APP_HOME", "/opt/app"}, {"HOME", "/root"}, {"USER", "root"}, {"TZ", "CET"},
      {"STELLA_RUN_ID", "x"},        {"CELL", "image"}};
  wanted.env = {{"CELL", "north"}};
  const std::string seen = site.run(wanted).out;
  for (const char* line : {"PATH=/opt/bin:/usr/bin\n", "APP_HOME=/opt/app\n", "HOME=/home/step\n", "USER=stella\n",
                           "TZ=UTC\n", "CELL=north\n"})
    EXPECT_NE(seen.find(line), std::string::npos) << line << seen;
  EXPECT_EQ(seen.find("STELLA_RUN_ID"), std::string::npos);
}

TEST_F(InImage, ASecretVariableStandsAboveTheImages) {
  locked::Bytes value(6);
  std::copy_n("hidden", 6, reinterpret_cast<char*>(value.data()));
  Spec wanted = spec("echo $TOKEN; env | grep -c ^TOKEN=");
  wanted.root_env = {{"TOKEN", "of the image"}};
  wanted.secrets = {{"token", &value, "TOKEN"}};
  fs::create_symlink("busybox", tree + "/usr/bin/grep");
  EXPECT_EQ(site.run(wanted).out, "hidden\n1\n");
}

TEST_F(InImage, SaysThatTheImageHasNoShell) {
  fs::remove(tree + "/usr/bin/sh");
  try {
    (void)site.run(spec("true"));
    FAIL() << "it ran";
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_step_failed);
    EXPECT_EQ(error.reason(), "exec");
    EXPECT_NE(error.fix().find("image has none"), std::string::npos) << error.fix();
  }
}

TEST_F(InImage, AnImageWithoutAnyUsualFolderIsEnough) {
  fs::remove_all(tree);
  fs::create_directories(tree);
  fs::copy_file(fs::exists("/usr/bin/busybox") ? "/usr/bin/busybox" : "/bin/busybox", tree + "/busybox");
  Spec wanted = spec("");
  wanted.argv = {"/busybox", "ls", "/"};
  EXPECT_NE(site.run(wanted).out.find("busybox\n"), std::string::npos);
}

}  // namespace
}  // namespace stella::sandbox
