// SPDX-License-Identifier: Apache-2.0
// What a step sees and is: files, users, environment, secrets.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundles/locked/bytes.hpp"
#include "tests/unit/appliance/sandbox_bench.hpp"
#include "tests/unit/appliance/sandbox_server.hpp"

namespace stella::sandbox {
namespace {

TEST(View, ShowsTheRunsFoldersAndKeepsWhatTheStepWrote) {
  Site site;
  site.write("pack/tool.sh", "#!/bin/sh\necho from-pack\n");
  std::filesystem::permissions(site.root + "/pack/tool.sh", std::filesystem::perms::owner_all);
  site.write("inputs/image", "input-bytes");
  std::filesystem::permissions(site.root + "/inputs/image", std::filesystem::perms::owner_read);
  const Outcome first = site.shell(
      "/pack/tool.sh; cat /inputs/image; pwd; echo w >/work/w; mkdir /work/d; ln -s /etc/shadow /work/l;"
      "echo a >/artifacts/a; echo key=value >>$STELLA_OUTPUT; mv /work/w /work/d/w");
  EXPECT_EQ(first.out, "from-pack\ninput-bytes/work\n") << first.err;
  EXPECT_EQ(site.read("work/d/w"), "w\n");
  EXPECT_EQ(site.read("artifacts/a"), "a\n");
  EXPECT_EQ(site.read("output"), "key=value\n");
  const Outcome second = site.shell("cat /work/d/w; echo more >>/work/d/w; cat $STELLA_OUTPUT");
  EXPECT_EQ(second.out, "w\n") << "a second step, of another user outside, owns what the first one wrote: "
                               << second.err;
  EXPECT_EQ(second.result.status, 0) << second.err;
}

TEST(View, IsReadOnlyWhereItIsNotTheRuns) {
  Site site;
  const Outcome seen = site.shell(
      "for p in /x /usr/x /etc/x /etc/passwd /pack/x /inputs/x /dev/x /run/x /proc/sys/kernel/hostname "
      "/proc/self/oom_score_adj /etc/alternatives/x; do (echo > $p) 2>/dev/null && echo WROTE $p; done; "
      "chmod 777 /pack /usr 2>/dev/null && echo CHANGED; rm -f $STELLA_OUTPUT 2>/dev/null && echo REMOVED; true");
  EXPECT_EQ(seen.out, "");
}

TEST(View, HidesTheHost) {
  Site site;
  const Outcome seen = site.shell(
      "ls -d /root /var /sys /mnt /srv /opt /boot /etc/shadow /etc/ssh /etc/machine-id /dev/sda "
      "/dev/tty /dev/mem /dev/net /dev/kmsg /run/systemd /proc/1 " +
      site.root + " 2>/dev/null; ls /home /tmp /dev/shm; id -un");
  EXPECT_EQ(seen.out, "/dev/shm:\n\n/home:\nstep\n\n/tmp:\nstella\n");
}

TEST(View, ShowsOnlyTheStepsProcesses) {
  Site site;
  const Outcome seen = site.shell("sleep 60 & cd /proc; set -- [0-9]*; echo $#; cat /proc/cmdline /proc/keys");
  EXPECT_EQ(seen.out, "2\n");
}

TEST(View, GivesFreshMemoryForHomeAndTmpToEachStep) {
  Site site;
  EXPECT_EQ(site.shell("echo planted > $HOME/.netrc; echo t > /tmp/t; echo s > /dev/shm/s; echo $HOME").out,
            "/home/step\n");
  EXPECT_EQ(site.shell("ls -A $HOME /tmp /dev/shm | grep -v : ; true").out, "\n\n");
}

TEST(View, HoldsTmpToItsLimit) {
  Site site;
  Spec spec =
      site.spec({"bash", "-c", "head -c 20M /dev/zero > /tmp/a; head -c 20M /dev/zero > $HOME/b; stat -c %s /tmp/a"});
  spec.tmp_bytes = std::uint64_t{4} << 20;
  const Outcome seen = site.run(spec);
  EXPECT_EQ(seen.out, "4194304\n");
  EXPECT_NE(seen.err.find("No space left"), std::string::npos);
}

TEST(Environment, IsOurOwnAndNothingOfTheCallers) {
  setenv("STELLA_TEST_LEAK", "leaked", 1);
  setenv("http_proxy", "http://proxy.example:3128", 1);
  Site site;
  Spec spec = site.spec({"env"});
  spec.env = {{"CELL", "north"}};
  const Outcome seen = site.run(spec);
  unsetenv("http_proxy");
  for (const char* line : {"PATH=/usr/local/sbin:", "HOME=/home/step\n", "LANG=C.UTF-8\n", "TZ=UTC\n", "CELL=north\n",
                           "SOURCE_DATE_EPOCH=", "STELLA_OUTPUT=/run/stella/output\n"}) {
    EXPECT_NE(seen.out.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(seen.out.find("leak"), std::string::npos);
  EXPECT_EQ(seen.out.find("proxy"), std::string::npos);
}

TEST(Environment, HandsDownNoDescriptorAndNoTerminal) {
  const int leak = open("/etc/passwd", O_RDONLY);  // not close-on-exec
  Site site;
  const Outcome seen = site.shell(
      "for f in /proc/self/fd/*; do readlink $f; done | sed 's/:.*//'; tty; cat /proc/self/limits | grep core");
  close(leak);
  EXPECT_EQ(seen.out.substr(0, seen.out.find("not a tty")), "/dev/null\npipe\npipe\n") << seen.err;
  EXPECT_NE(seen.out.find("1                    1"), std::string::npos)
      << "a core limit of 0 does not stop a piped core_pattern";
}

TEST(Identity, IsNeverTheHostsUserZero) {
  Site site;
  const Outcome seen = site.shell(
      "cat /proc/self/uid_map; grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status; id -G");
  std::istringstream in(seen.out);
  std::uint64_t inside = 0, outside = 0, count = 0;
  in >> inside >> outside >> count;
  EXPECT_NE(inside, 0U);
  EXPECT_NE(outside, 0U);
  EXPECT_EQ(count, 1U);
  EXPECT_NE(seen.out.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(seen.out.find("Seccomp:\t2"), std::string::npos);
  for (const char* set : {"CapEff", "CapBnd", "CapPrm"}) {
    EXPECT_NE(seen.out.find(std::string(set) + ":\t0000000000000000"), std::string::npos) << set;
  }
}

TEST(Identity, LeavesNoFileOfTheHostsRootWithASetIdBit) {
  Site site;
  const Outcome seen = site.shell(
      "cp /bin/true /work/t; chmod 4755 /work/t 2>/dev/null && echo SET; chmod 755 /work/t; umask 0; "
      "install -m 2755 /bin/true /work/i 2>/dev/null; mkdir /work/d && chmod g+s /work/d 2>/dev/null && echo SETDIR; "
      "true");
  EXPECT_EQ(seen.out, "");
  struct stat file {};
  ASSERT_EQ(lstat((site.root + "/work/t").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777U, 0755U);
  EXPECT_NE(file.st_uid, 0U);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site.root)) {
    struct stat one {};
    ASSERT_EQ(lstat(entry.path().c_str(), &one), 0);
    EXPECT_EQ(one.st_mode & (S_ISUID | S_ISGID), 0U) << entry.path();
  }
}

TEST(Identity, DiffersOutsideBetweenTwoStepsOfRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "an ordinary user's steps are that user";
  Site site;
  const auto outside = [&] { return site.shell("awk '{print $2}' /proc/self/uid_map").out; };
  const std::string first = outside();
  EXPECT_NE(first, outside());
  EXPECT_GE(std::stoul(first), 1900000000U);
}

TEST(Secrets, ArriveAsFilesOnMemoryOrVariables) {
  Site site;
  const auto token = locked::Bytes::copy_of("tok\xff-en"), word = locked::Bytes::copy_of("pass word");
  Spec spec = site.spec({"bash", "-c",
                         "od -An -tx1 /run/secrets/token; stat -fc %T /run/secrets; echo \"$WORD\"; (echo x > "
                         "/run/secrets/token) 2>/dev/null || echo kept;"
                         "touch /run/secrets/new 2>/dev/null || echo closed; ls /run/secrets"});
  spec.secrets = {{"token", &token, ""}, {"word", &word, "WORD"}};
  const Outcome seen = site.run(spec);
  EXPECT_EQ(seen.out, " 74 6f 6b ff 2d 65 6e\nramfs\npass word\nkept\nclosed\ntoken\n") << seen.err;
}

TEST(Secrets, OfOneStepAreNotInTheNext) {
  Site site;
  EXPECT_EQ(site.shell("ls -A /run/secrets; env | grep -c WORD; true").out, "0\n");
}

}  // namespace
}  // namespace stella::sandbox
