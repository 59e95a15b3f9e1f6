// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/identity.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "bundles/fault/error.hpp"

namespace stella::sandbox {
namespace {

constexpr std::uint32_t kFirstBlock = 1900000000;
constexpr int kBlocks = 16;

struct Range {
  std::uint64_t first, count;
  [[nodiscard]] bool covers(std::uint64_t from, std::uint64_t many) const {
    return first <= from && from + many <= first + count;
  }
  [[nodiscard]] bool touches(std::uint64_t from, std::uint64_t many) const {
    return first < from + many && from < first + count;
  }
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> parts;
  while (!line.empty()) {
    const auto end = line.find(separator);
    if (separator != ' ' || end != 0) parts.push_back(line.substr(0, end));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return parts;
}

// `first_field` and `count_field` say where a line holds a range; no count field: one id.
std::vector<Range> ranges(std::string_view text, char separator, std::size_t first_field, std::size_t count_field) {
  std::vector<Range> found;
  for (const auto line : split(text, '\n')) {
    const auto parts = split(line, separator);
    if (parts.size() <= first_field) continue;
    const bool has_count = count_field != 0 && parts.size() > count_field;
    found.push_back({number(parts[first_field]), has_count ? number(parts[count_field]) : 1});
  }
  return found;
}

bool is_mapped(std::string_view map, std::uint64_t first) {
  for (const auto& range : ranges(map, ' ', 0, 2)) {
    if (range.covers(first, kBlockSize)) return true;
  }
  return false;
}

bool is_owned(const AccountTexts& texts, std::uint64_t first) {
  std::vector<Range> owned;
  for (const auto* accounts : {&texts.passwd, &texts.group}) {
    for (const auto& range : ranges(*accounts, ':', 2, 0)) owned.push_back(range);
  }
  for (const auto* containers : {&texts.subuid, &texts.subgid}) {
    for (const auto& range : ranges(*containers, ':', 1, 2)) owned.push_back(range);
  }
  for (const auto& range : owned) {
    if (range.touches(first, kBlockSize)) return true;
  }
  return false;
}

std::string text_of(const char* path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Async-signal-safe decimal; returns the end.
char* put(char* at, std::uint32_t value) noexcept {
  std::array<char, 10> digits{};
  std::size_t many = 0;
  do {
    digits[many++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (many > 0) *at++ = digits[--many];
  return at;
}

bool write_file(const char* path, const char* text, std::size_t size) noexcept {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = write(fd, text, size) == static_cast<ssize_t>(size);
  const int error = errno;
  close(fd);
  errno = error;
  return ok;
}

bool write_map(const char* path, std::uint32_t inside, std::uint32_t outside) noexcept {
  std::array<char, 40> line{};
  char* at = put(line.data(), inside);
  *at++ = ' ';
  at = put(at, outside);
  std::memcpy(at, " 1\n", 3);
  return write_file(path, line.data(), static_cast<std::size_t>(at + 3 - line.data()));
}

}  // namespace

std::optional<std::uint32_t> find_block(const AccountTexts& texts) {
  for (int i = 0; i < kBlocks; ++i) {
    const std::uint32_t first = kFirstBlock + static_cast<std::uint32_t>(i) * 2 * kBlockSize;
    if (is_mapped(texts.uid_map, first) && is_mapped(texts.gid_map, first) && !is_owned(texts, first)) return first;
  }
  return std::nullopt;
}

Identity choose_identity() {
  Identity identity{
      .privileged = geteuid() == 0, .inside = kFirstBlock, .caller_uid = geteuid(), .caller_gid = getegid()};
  if (!identity.privileged) return identity;
  const auto block = find_block({text_of("/proc/self/uid_map"), text_of("/proc/self/gid_map"), text_of("/etc/passwd"),
                                 text_of("/etc/group"), text_of("/etc/subuid"), text_of("/etc/subgid")});
  if (!block) {
    throw fault::Error(
        fault::Code::sandbox_unavailable, "identity",
        "root has no unused user number here that a step could run as (a container with a small uid map, "
        "or /etc/subuid claims them all)",
        "sandbox", "run stella as an ordinary user");
  }
  identity.inside = *block;
  return identity;
}

bool write_maps(const Identity& identity, pid_t init) noexcept {
  std::array<char, 64> path{};
  const std::uint32_t outside = identity.outside(init);
  std::snprintf(path.data(), path.size(), "/proc/%d/uid_map", init);
  if (!write_map(path.data(), identity.inside, outside)) return false;
  std::snprintf(path.data(), path.size(), "/proc/%d/gid_map", init);
  return write_map(path.data(), identity.inside, outside);
}

bool map_myself(const Identity& identity) noexcept {
  // The runner is not dumpable, so root owns the child's /proc files; it is dumpable for these three writes only.
  // The user could look into it meanwhile, who is the owner of the home it belongs to (SECURITY.md).
  prctl(PR_SET_DUMPABLE, 1);
  const bool ok = write_file("/proc/self/setgroups", "deny", 4) &&
                  write_map("/proc/self/uid_map", identity.inside, identity.caller_uid) &&
                  write_map("/proc/self/gid_map", identity.inside, identity.caller_gid);
  const int error = errno;
  prctl(PR_SET_DUMPABLE, 0);
  errno = error;
  return ok;
}

bool become(const Identity& identity) noexcept {
  // Not the C library's wrappers: they make every thread of the process do the same, and the child has none of them.
  const auto id = identity.inside;
  return syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setresgid, id, id, id) == 0 &&
         syscall(SYS_setresuid, id, id, id) == 0;
}

}  // namespace stella::sandbox
