// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/program.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>
#include <sstream>
#include <vector>

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostProcesses = 256, kMostDescriptors = 512;
constexpr std::string_view kUnknown = "unknown";
using Listing = files::Handle<DIR, closedir>;

std::string read_beneath(int folder, const std::string& path, std::size_t limit) {
  const files::Fd fd(openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 8192> block{};
  while (fd && text.size() < limit) {
    const ssize_t got = read(fd.get(), block.data(), block.size());
    if (got <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::string> entries(int folder, const std::string& path, std::size_t limit) {
  std::vector<std::string> names;
  files::Fd fd(openat(folder, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return names;
  const Listing listing(fdopendir(fd.release()));
  while (const dirent* entry = listing && names.size() < limit ? readdir(listing.get()) : nullptr) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) != 0) names.emplace_back(entry->d_name);
  }
  return names;
}

// As /proc/net/udp writes it: each 32-bit word of the address in the machine's byte order, then the port.
std::string kernel_spelling(const std::string& address, int port, bool is_ipv6) {
  std::array<std::uint32_t, 4> words{};
  if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address.c_str(), words.data()) != 1) return {};
  std::string text;
  for (std::size_t i = 0; i < (is_ipv6 ? 4 : 1); ++i) text += fmt::format("{:08X}", words[i]);
  return text + fmt::format(":{:04X}", port);
}

// The inode of the socket bound to the packet's source; an unbound sender is known by its port alone.
std::optional<std::string> socket_inode(int proc, const Packet& packet) {
  const std::string table = packet.protocol == "udp" ? "udp" : packet.protocol == "tcp" ? "tcp" : "icmp";
  const std::string exact = kernel_spelling(packet.source, packet.source_port, packet.is_ipv6);
  const std::string port = fmt::format(":{:04X}", packet.source_port);
  for (const std::string& name : {table, table + "6"}) {
    std::istringstream lines(read_beneath(proc, "1/net/" + name, std::size_t{1} << 20));
    std::optional<std::string> by_port;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      std::vector<std::string> words;
      for (std::string word; fields >> word;) words.push_back(word);
      if (words.size() < 10) continue;
      if (words[1] == exact && words[9] != "0") return words[9];
      if (words[1].ends_with(port) && words[9] != "0") by_port = words[9];
    }
    if (by_port) return by_port;
  }
  return std::nullopt;
}

struct Process {
  std::string pid;
  std::vector<std::string> sockets;  // inodes, as text
  bool is_running = false;           // on a processor, or about to be
};                                   // inodes, as text

// The state is the first field behind the name, which may hold anything but ends with the last bracket.
bool is_running(int proc, const std::string& pid) {
  const std::string stat = read_beneath(proc, pid + "/stat", 1024);
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && name_end + 2 < stat.size() && stat[name_end + 2] == 'R';
}

// The only one of them for which `is` holds; nullptr when there is none or more than one.
template <class Is>
const Process* only(const std::vector<Process>& processes, Is is) {
  const auto first = std::find_if(processes.begin(), processes.end(), is);
  if (first == processes.end() || std::find_if(first + 1, processes.end(), is) != processes.end()) return nullptr;
  return &*first;
}

std::vector<Process> processes(int proc) {
  std::vector<Process> found;
  for (const auto& pid : entries(proc, ".", kMostProcesses)) {
    if (pid == "1") continue;
    Process process{pid, {}, is_running(proc, pid)};
    const std::string folder = pid + "/fd";
    for (const auto& fd : entries(proc, folder, kMostDescriptors)) {
      std::array<char, 64> target{};
      const auto size = readlinkat(proc, (folder + "/" + fd).c_str(), target.data(), target.size() - 1);
      const std::string_view text(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
      if (text.starts_with("socket:[")) process.sockets.emplace_back(text.substr(8, text.size() - 9));
    }
    found.push_back(std::move(process));
  }
  return found;
}

std::string name_of_process(int proc, const std::string& pid) {
  std::string name = read_beneath(proc, pid + "/comm", 64);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? std::string(kUnknown) : name;
}

}  // namespace

std::string Programs::sender_of(const Packet& packet) const {
  const int proc = proc_.get();
  if (proc < 0) return std::string(kUnknown);
  const auto inode = packet.protocol == "tcp" ? std::nullopt : socket_inode(proc, packet);
  const auto running = processes(proc);
  if (inode) {
    const auto holds = [&](const Process& process) {
      return std::find(process.sockets.begin(), process.sockets.end(), *inode) != process.sockets.end();
    };
    const auto sender = std::find_if(running.begin(), running.end(), holds);
    if (sender != running.end()) return name_of_process(proc, sender->pid);
  }
  const Process* holder = only(running, [](const Process& process) { return !process.sockets.empty(); });
  const Process* active = only(running, [](const Process& process) { return process.is_running; });
  if (holder != nullptr && active != nullptr && holder != active) return std::string(kUnknown);
  const Process* likely = holder != nullptr ? holder : active;
  if (likely == nullptr && running.size() == 1) likely = &running[0];
  return likely == nullptr ? std::string(kUnknown) : name_of_process(proc, likely->pid);
}

}  // namespace stella::sandbox
