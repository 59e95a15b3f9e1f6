// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/etc_files.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace stella::sandbox {
namespace {

// Only what cannot end a line of the file, whatever a policy calls a host.
bool is_host_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
}

std::string hosts(const std::vector<Endpoint>& allowed) {
  std::string text = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.0.1 stella\n";
  for (const auto& endpoint : allowed) {
    if (is_host_name(endpoint.host)) text += endpoint.address + " " + endpoint.host + "\n";
  }
  return text;
}

}  // namespace

std::vector<TextFile> etc_files(std::uint32_t user, const std::vector<Endpoint>& allowed) {
  const std::string id = std::to_string(user);
  return {
      {"etc/passwd", "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nstella:x:" + id + ":" + id +
                         ":step:/home/step:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
      {"etc/group", "root:x:0:\nstella:x:" + id + ":\nnogroup:x:65534:\n"},
      {"etc/hosts", hosts(allowed)},
      {"etc/hostname", "stella\n"},
      {"etc/host.conf", "multi on\n"},
      {"etc/resolv.conf", "nameserver 127.0.0.1\nsearch .\noptions timeout:2 attempts:2\n"},
      {"etc/nsswitch.conf",
       "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nprotocols: files\n"
       "services: files\nnetworks: files\n"},
      {"etc/protocols", "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\nipv6-icmp 58 IPv6-ICMP\n"},
      {"etc/services",
       "ftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\nsmtp 25/tcp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp\n"
       "ntp 123/udp\nsnmp 161/udp\nhttps 443/tcp\nmodbus 502/tcp\nrsync 873/tcp\nmqtt 1883/tcp\n"
       "postgresql 5432/tcp\n"},
  };
}

}  // namespace stella::sandbox
