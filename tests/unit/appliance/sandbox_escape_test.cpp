// SPDX-License-Identifier: Apache-2.0
// Ways out that a hostile step would try, as system calls: each must be refused, with the errno that programs expect.
#include <gtest/gtest.h>

#include "tests/unit/appliance/sandbox_bench.hpp"
#include "tests/unit/appliance/sandbox_server.hpp"

namespace stella::sandbox {
namespace {

constexpr const char* kPrelude =
    "import ctypes,errno,os\n"
    "l=ctypes.CDLL(None,use_errno=True)\n"
    "def call(n,*a):\n"
    "  ctypes.set_errno(0); r=l.syscall(ctypes.c_long(n),*[ctypes.c_long(x) if isinstance(x,int) else x for x in a])\n"
    "  return 'ok' if r>=0 else errno.errorcode[ctypes.get_errno()]\n";

struct Attempt {
  const char* name;
  const char* call;
  const char* expected;
};
class Escape : public ::testing::TestWithParam<Attempt> {};

TEST_P(Escape, IsRefused) {
#ifndef __x86_64__
  GTEST_SKIP() << "the call numbers are those of x86-64";
#endif
  if (!has_program("python3")) GTEST_SKIP() << "python3 is not installed";
  Site site;
  site.write("work/f", "x");
  const Outcome seen = site.run({"python3", "-c", std::string(kPrelude) + "print(" + GetParam().call + ")"});
  EXPECT_EQ(seen.out, std::string(GetParam().expected) + "\n") << seen.err;
}

INSTANTIATE_TEST_SUITE_P(
    Calls, Escape,
    ::testing::Values(
        Attempt{"unshare", "call(272,0x10000000)", "EPERM"}, Attempt{"setns", "call(308,0,0)", "EPERM"},
        Attempt{"clone_user", "call(56,0x10000011,0,0,0,0)", "EPERM"},
        Attempt{"clone_net", "call(56,0x40000011,0,0,0,0)", "EPERM"}, Attempt{"clone3", "call(435,0,0)", "ENOSYS"},
        Attempt{"mount", "call(165,b'x',b'/tmp',b'tmpfs',0,0)", "EPERM"},
        Attempt{"umount", "call(166,b'/run/secrets',2)", "EPERM"},
        Attempt{"pivot_root", "call(155,b'/tmp',b'/tmp')", "EPERM"}, Attempt{"chroot", "call(161,b'/tmp')", "EPERM"},
        Attempt{"fsopen", "call(430,b'tmpfs',0)", "EPERM"}, Attempt{"open_tree", "call(428,-100,b'/',1)", "EPERM"},
        Attempt{"mount_setattr", "call(442,-100,b'/',0,0,0)", "EPERM"},
        Attempt{"ptrace_init", "call(101,16,1,0,0)", "EPERM"}, Attempt{"vm_write", "call(311,1,0,0,0,0,0)", "EPERM"},
        Attempt{"pidfd_getfd", "call(438,3,0,0)", "EPERM"}, Attempt{"keyctl", "call(250,0,-3,0)", "EPERM"},
        Attempt{"bpf", "call(321,0,0,0)", "EPERM"}, Attempt{"userfaultfd", "call(323,0)", "EPERM"},
        Attempt{"perf", "call(298,0,0,0,0,0)", "EPERM"}, Attempt{"io_uring", "call(425,1,0)", "ENOSYS"},
        Attempt{"tiocsti", "call(16,0,0x5412,b'x')", "EPERM"},
        Attempt{"tiocsti_high", "call(16,0,0x100005412,b'x')", "EPERM"},
        Attempt{"tioclinux", "call(16,0,0x541c,b'x')", "EPERM"}, Attempt{"handle", "call(304,3,b'x'*64,0)", "EPERM"},
        Attempt{"chmod", "call(90,b'/work/f',0o4755)", "EPERM"},
        Attempt{"fchmodat", "call(268,-100,b'/work/f',0o2755)", "EPERM"},
        Attempt{"fchmodat2", "call(452,-100,b'/work/f',0o4755,0)", "EPERM"},
        Attempt{"open_mode", "call(2,b'/work/g',0o101,0o4755)", "EPERM"},
        Attempt{"openat_mode", "call(257,-100,b'/work/g',0o101,0o6755)", "EPERM"},
        Attempt{"tmpfile_mode", "call(257,-100,b'/work',0o20200001,0o4755)", "EPERM"},
        Attempt{"openat2", "call(437,-100,b'/tmp',0,0)", "ENOSYS"},
        Attempt{"creat_mode", "call(85,b'/work/g',0o4755)", "EPERM"},
        Attempt{"mknod_mode", "call(133,b'/work/g',0o104755,0)", "EPERM"},
        Attempt{"mknod_device", "call(133,b'/work/g',0o20666,0x103)", "EPERM"},
        Attempt{"xattr", "call(188,b'/work/f',b'user.x',b'1',1,0)", "ENOTSUP"},
        Attempt{"vsock", "call(41,40,1,0)", "EAFNOSUPPORT"},
        Attempt{"vsock_high", "call(41,0x100000028,1,0)", "EAFNOSUPPORT"},
        Attempt{"packet", "call(41,17,3,0)", "EAFNOSUPPORT"}, Attempt{"alg", "call(41,38,5,0)", "EAFNOSUPPORT"},
        Attempt{"raw", "call(41,2,3,255)", "EPERM"}, Attempt{"raw6", "call(41,10,3,58)", "EPERM"},
        Attempt{"sctp", "call(41,2,1,132)", "EPROTONOSUPPORT"}, Attempt{"mptcp", "call(41,2,1,262)", "EPROTONOSUPPORT"},
        Attempt{"audit", "call(41,16,3,9)", "EPROTONOSUPPORT"}, Attempt{"route", "call(41,16,3,0)", "ok"},
        Attempt{"unix", "call(41,1,1,0)", "ok"}, Attempt{"setuid", "call(105,0)", "EINVAL"},
        Attempt{"setgroups", "call(116,0,0)", "EPERM"}, Attempt{"sethostname", "call(170,b'x',1)", "EPERM"},
        Attempt{"reboot", "call(169,0,0,0,0)", "EPERM"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Escape, ByAForeignInstructionSetIsTheEnd) {
#ifndef __x86_64__
  GTEST_SKIP() << "x32 is of x86-64";
#endif
  if (!has_program("python3")) GTEST_SKIP() << "python3 is not installed";
  Site site;
  const Outcome seen = site.run({"python3", "-c", std::string(kPrelude) + "call(0x40000000+39); print('alive')"});
  EXPECT_EQ(seen.out, "");
  EXPECT_EQ(seen.result.end, End::signalled);
}

TEST(Escape, BySignalsReachesNothingOutside) {
  Site site;
  const std::string ours = std::to_string(getpid());
  const Outcome seen =
      site.shell("kill -0 " + ours +
                 " 2>&1 | grep -o 'No such process'; kill -9 1; kill -STOP 1; sleep 0.1; kill -TERM -1; echo alive");
  EXPECT_NE(seen.out.find("No such process"), std::string::npos) << seen.out << seen.err;
}

TEST(Escape, ByASetIdProgramChangesNobody) {
  Site site;
  const Outcome seen = site.shell(
      "before=$(id -u); for p in su mount passwd newgrp; do [ -x /usr/bin/$p ] && /usr/bin/$p -c id </dev/null "
      ">/dev/null 2>&1; done;"
      "[ $(id -u) = $before ] && grep -c 'CapEff:.0000000000000000' /proc/self/status");
  EXPECT_EQ(seen.out, "1\n");
}

TEST(Escape, ByALinkInTheRunsFoldersIsResolvedInside) {
  Site site;
  const std::string bait = site.root + "/host-file";
  std::ofstream(bait) << "host";
  const Outcome seen = site.shell(
      "ln -s " + bait + " /work/a; ln -s /proc/self/root" + bait +
      " /work/b; ln -s ../host-file /work/c; cat /work/a /work/b /work/c 2>/dev/null; ls /work/.. | head -1");
  EXPECT_EQ(seen.out, "artifacts\n");
}

TEST(Escape, ThroughInitsMemoryOrDescriptorsFindsNothing) {
  Site site;
  EXPECT_EQ(site.shell("cat /proc/1/environ /proc/1/cmdline /proc/1/maps /proc/1/mem 2>/dev/null; ls /proc/1/fd "
                       "/proc/1/root /proc/1/cwd 2>/dev/null; echo 5 2>/dev/null >/proc/1/oom_score_adj; true")
                .out,
            "");
}

TEST(Escape, ByAnOlderStepsOutputFileIsNoMore) {
  Site site;
  site.write("output", "old=1\n");
  EXPECT_EQ(site.shell("cat $STELLA_OUTPUT").out, "");
  std::filesystem::remove(site.root + "/output");
  std::filesystem::create_symlink(site.root + "/elsewhere", site.root + "/output");
  EXPECT_ANY_THROW((void)site.shell("true"));
}

}  // namespace
}  // namespace stella::sandbox
