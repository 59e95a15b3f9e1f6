// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/filter.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {
namespace {

using Context = files::Handle<void, seccomp_release>;
using Match = scmp_arg_cmp;

// Numbers younger than the kernel headers this is built with; the same on every architecture.
constexpr int kFchmodat2 = 452, kSetxattrat = 463, kRemovexattrat = 466, kOpenTreeAttr = 467, kFileSetattr = 469;
constexpr std::uint64_t kLow32 = 0xffffffff;  // the kernel looks at an int; the register may hold more

class Rules {
 public:
  explicit Rules(Context& context) : context_(context.get()) {}
  void refuse(int error, int call, std::initializer_list<Match> matches = {}) {
    if (call < 0) return;  // not on this architecture
    const int result = seccomp_rule_add_array(context_, SCMP_ACT_ERRNO(static_cast<std::uint16_t>(error)), call,
                                              static_cast<unsigned>(matches.size()), matches.begin());
    if (result != 0 && result != -EDOM) failed("rule", -result);
  }
  void refuse_all(int error, std::initializer_list<int> calls) {
    for (const int call : calls) refuse(error, call);
  }
  [[noreturn]] static void failed(const std::string& what, int error) {
    throw fault::Error(fault::Code::sandbox_unavailable, "filter",
                       "the system call filter cannot be made (" + what + "): " + std::strerror(error), "sandbox");
  }

 private:
  scmp_filter_ctx context_;
};

Match has(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}
Match is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, kLow32, value};
}
Match above(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_GT, value, 0};
}

void refuse_namespaces_and_mounts(Rules& rules) {
  rules.refuse_all(EPERM, {SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(umount),
                           SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(fsopen), SCMP_SYS(fsconfig),
                           SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(open_tree), SCMP_SYS(move_mount),
                           SCMP_SYS(mount_setattr), kOpenTreeAttr, SCMP_SYS(swapon), SCMP_SYS(swapoff)});
  for (const std::uint64_t flag :
       {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    rules.refuse(EPERM, SCMP_SYS(clone), {has(0, flag)});
  }
  rules.refuse(ENOSYS, SCMP_SYS(clone3));  // its flags are in memory; programs fall back to clone
}

void refuse_kernel_surface(Rules& rules) {
  rules.refuse_all(EPERM, {SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(kcmp),
                           SCMP_SYS(pidfd_getfd),
                           SCMP_SYS(keyctl),
                           SCMP_SYS(add_key),
                           SCMP_SYS(request_key),
                           SCMP_SYS(bpf),
                           SCMP_SYS(perf_event_open),
                           SCMP_SYS(userfaultfd),
                           SCMP_SYS(kexec_load),
                           SCMP_SYS(kexec_file_load),
                           SCMP_SYS(init_module),
                           SCMP_SYS(finit_module),
                           SCMP_SYS(delete_module),
                           SCMP_SYS(reboot),
                           SCMP_SYS(acct),
                           SCMP_SYS(quotactl),
                           SCMP_SYS(quotactl_fd),
                           SCMP_SYS(syslog),
                           SCMP_SYS(settimeofday),
                           SCMP_SYS(clock_settime),
                           SCMP_SYS(sethostname),
                           SCMP_SYS(setdomainname),
                           SCMP_SYS(iopl),
                           SCMP_SYS(ioperm),
                           SCMP_SYS(modify_ldt),
                           SCMP_SYS(vhangup),
                           SCMP_SYS(fanotify_init),
                           SCMP_SYS(open_by_handle_at),
                           SCMP_SYS(name_to_handle_at),
                           SCMP_SYS(lookup_dcookie),
                           SCMP_SYS(uselib)});
  rules.refuse_all(ENOSYS, {SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)});
  // Typing into the terminal that stella was started from; only the low half of the request counts (CVE-2019-7303).
  rules.refuse(EPERM, SCMP_SYS(ioctl), {is(1, TIOCSTI)});
  rules.refuse(EPERM, SCMP_SYS(ioctl), {is(1, TIOCLINUX)});
}

// The run's folders are on the host's disk without nosuid there: a set-id file made by a step would outlive it.
void refuse_set_id_files(Rules& rules) {
  for (const std::uint64_t bit : {S_ISUID, S_ISGID}) {
    rules.refuse(EPERM, SCMP_SYS(chmod), {has(1, bit)});
    rules.refuse(EPERM, SCMP_SYS(fchmod), {has(1, bit)});
    rules.refuse(EPERM, SCMP_SYS(fchmodat), {has(2, bit)});
    rules.refuse(EPERM, kFchmodat2, {has(2, bit)});
    rules.refuse(EPERM, SCMP_SYS(mknod), {has(1, bit)});
    rules.refuse(EPERM, SCMP_SYS(mknodat), {has(2, bit)});
    rules.refuse(EPERM, SCMP_SYS(creat), {has(1, bit)});
    for (const std::uint64_t making : {O_CREAT, O_TMPFILE & ~O_DIRECTORY}) {  // else the mode is a register's leftover
      rules.refuse(EPERM, SCMP_SYS(open), {has(1, making), has(2, bit)});
      rules.refuse(EPERM, SCMP_SYS(openat), {has(2, making), has(3, bit)});
    }
  }
  rules.refuse(ENOSYS, SCMP_SYS(openat2));  // its mode is in memory; programs fall back to openat
  rules.refuse_all(ENOTSUP,
                   {SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr),
                    SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr), kSetxattrat, kRemovexattrat, kFileSetattr});
}

// Allowed: Unix, IPv4, IPv6, and netlink's ROUTE. AF_VSOCK above all is not divided by network namespaces.
void refuse_sockets(Rules& rules) {
  for (std::uint64_t family = 3; family < AF_NETLINK; ++family) {
    if (family != AF_INET6) rules.refuse(EAFNOSUPPORT, SCMP_SYS(socket), {is(0, family)});
  }
  rules.refuse(EAFNOSUPPORT, SCMP_SYS(socket), {above(0, AF_NETLINK)});
  rules.refuse(EPROTONOSUPPORT, SCMP_SYS(socket), {is(0, AF_NETLINK), above(2, 0)});
  rules.refuse(EAFNOSUPPORT, SCMP_SYS(socketpair), {above(0, AF_UNIX)});
  for (const std::uint64_t family : {AF_INET, AF_INET6}) {
    for (const std::uint64_t type : {SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET}) {
      rules.refuse(EPERM, SCMP_SYS(socket), {is(0, family), {1, SCMP_CMP_MASKED_EQ, 0xf, type}});
    }
    for (const std::uint64_t protocol :
         {std::uint64_t{IPPROTO_SCTP}, std::uint64_t{IPPROTO_DCCP}, std::uint64_t{IPPROTO_UDPLITE},
          std::uint64_t{IPPROTO_MPTCP}, std::uint64_t{256}}) {
      rules.refuse(EPROTONOSUPPORT, SCMP_SYS(socket), {is(0, family), is(2, protocol)});  // 256: SMC over TCP
    }
  }
}

std::vector<sock_filter> compile() {
  Context context(seccomp_init(SCMP_ACT_ALLOW));
  if (!context) Rules::failed("start", ENOMEM);
  if (const int result = seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS); result != 0) {
    Rules::failed("architecture", -result);
  }
  (void)seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE,
                         2);  // a binary tree: same verdicts, fewer steps a call
  Rules rules(context);
  refuse_namespaces_and_mounts(rules);
  refuse_kernel_surface(rules);
  refuse_set_id_files(rules);
  refuse_sockets(rules);
  // libseccomp 2.5 gives the program out only to a descriptor.
  const files::Fd memory(memfd_create("filter", MFD_CLOEXEC));
  if (!memory) Rules::failed("memory", errno);
  if (const int result = seccomp_export_bpf(context.get(), memory.get()); result != 0) Rules::failed("export", -result);
  const off_t size = lseek(memory.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (pread(memory.get(), program.data(), static_cast<std::size_t>(size), 0) != size) Rules::failed("export", errno);
  return program;
}

}  // namespace

const std::vector<sock_filter>& step_filter() {
  static const std::vector<sock_filter> program = compile();
  return program;
}

bool load_filter(std::span<const sock_filter> program) noexcept {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

}  // namespace stella::sandbox
