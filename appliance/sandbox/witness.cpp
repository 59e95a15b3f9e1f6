// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/witness.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace stella::sandbox {
namespace {

constexpr std::uint32_t kCopied = 192;
constexpr std::uint8_t kPass = 39, kDrop = 40;  // places of the two endings in the program
constexpr std::uint8_t kEcho = 8, kExtendedEcho = 42, kEcho6 = 128, kExtendedEcho6 = 160;

// Classic BPF jumps are relative to the next instruction; these take the place to go to.
constexpr sock_filter load(std::uint16_t size, std::uint32_t offset) {
  return {static_cast<std::uint16_t>(BPF_LD | size | BPF_ABS), 0, 0, offset};
}
constexpr sock_filter when(std::uint16_t test, std::uint8_t at, std::uint32_t value, std::uint8_t yes,
                           std::uint8_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), static_cast<std::uint8_t>(yes - at - 1),
          static_cast<std::uint8_t>(no - at - 1), value};
}

constexpr std::uint8_t kLocal = 14, kV6 = 19, kV6Next = 27, kTcp = 31, kIcmp = 34;
// Source: linux Documentation/networking/filter.rst; header layouts RFC 791, 9293, 8200, 4443.
constexpr std::array<sock_filter, 41> kProgram = {{
    load(BPF_W, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),  // every packet passes lo twice: out, then in
    when(BPF_JEQ, 1, PACKET_OUTGOING, kDrop, 2),
    load(BPF_B, 0),
    {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0},
    when(BPF_JEQ, 4, 0x60, kV6, 5),
    load(BPF_B, 16),  // IPv4 destination
    when(BPF_JEQ, 6, 127, kLocal, 7),
    load(BPF_H, 6),  // a later fragment tells nothing new
    when(BPF_JSET, 8, 0x1fff, kDrop, 9),
    load(BPF_B, 9),
    {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},  // X: length of the IPv4 header
    when(BPF_JEQ, 11, IPPROTO_ICMP, kIcmp, 12),
    when(BPF_JEQ, 12, IPPROTO_TCP, kTcp, 13),
    when(BPF_JEQ, 13, IPPROTO_IGMP, kDrop, kPass),
    load(BPF_W, 16),  // kLocal: 127/8, of which TCP only and not 127.0.0.1: the policy may have pinned a host there
    when(BPF_JEQ, 15, INADDR_LOOPBACK, kDrop, 16),
    load(BPF_B, 9),
    {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
    when(BPF_JEQ, 18, IPPROTO_TCP, kTcp, kDrop),
    load(BPF_W, 24),  // kV6: is the destination ::1
    when(BPF_JEQ, 20, 0, 21, kV6Next),
    load(BPF_W, 28),
    when(BPF_JEQ, 22, 0, 23, kV6Next),
    load(BPF_W, 32),
    when(BPF_JEQ, 24, 0, 25, kV6Next),
    load(BPF_W, 36),
    when(BPF_JEQ, 26, 1, kDrop, kV6Next),
    load(BPF_B, 6),  // kV6Next
    {BPF_LDX | BPF_IMM, 0, 0, 40},
    when(BPF_JEQ, 29, IPPROTO_TCP, kTcp, 30),
    when(BPF_JEQ, 30, IPPROTO_ICMPV6, kIcmp, kPass),
    {BPF_LD | BPF_B | BPF_IND, 0, 0, 13},  // kTcp: SYN without ACK
    when(BPF_JSET, 32, 0x10, kDrop, 33),
    when(BPF_JSET, 33, 0x02, kPass, kDrop),
    {BPF_LD | BPF_B | BPF_IND, 0, 0, 0},  // kIcmp: the four kinds of echo request
    when(BPF_JEQ, 35, kEcho, kPass, 36),
    when(BPF_JEQ, 36, kExtendedEcho, kPass, 37),
    when(BPF_JEQ, 37, kEcho6, kPass, 38),
    when(BPF_JEQ, 38, kExtendedEcho6, kPass, kDrop),
    {BPF_RET | BPF_K, 0, 0, kCopied},  // kPass
    {BPF_RET | BPF_K, 0, 0, 0},        // kDrop
}};

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

std::string v6_text(const std::uint8_t* address) {
  in6_addr parsed{};
  std::memcpy(&parsed, address, sizeof parsed);
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) return text_of(AF_INET, address + 12);
  return text_of(AF_INET6, address);
}

int port_at(std::span<const std::uint8_t> bytes, std::size_t offset) {
  return bytes.size() < offset + 2 ? 0 : bytes[offset] << 8 | bytes[offset + 1];
}

// Steps over the extension headers that carry another header; false: a later fragment.
bool skip_extensions(std::span<const std::uint8_t> bytes, std::uint8_t& next, std::size_t& offset) {
  while (offset + 8 <= bytes.size()) {
    if (next == IPPROTO_FRAGMENT) {
      if (((bytes[offset + 2] << 8 | bytes[offset + 3]) & 0xfff8) != 0) return false;
      next = bytes[offset];
      offset += 8;
    } else if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
      next = bytes[offset];
      offset += (std::size_t{bytes[offset + 1]} + 1) * 8;
    } else {
      return true;
    }
  }
  return true;
}

bool describe(Packet& packet, std::span<const std::uint8_t> bytes, std::uint8_t protocol, std::size_t offset) {
  const int type = offset < bytes.size() ? bytes[offset] : -1;
  switch (protocol) {
    case IPPROTO_TCP:
      if (offset + 13 < bytes.size() && (bytes[offset + 13] & 0x12) != 0x02) return false;
      packet.protocol = "tcp";
      break;
    case IPPROTO_UDP:
      packet.protocol = "udp";
      break;
    case IPPROTO_ICMP:
      packet.protocol = "icmp";
      return type == kEcho || type == kExtendedEcho;
    case IPPROTO_ICMPV6:
      packet.protocol = "icmp";
      return type == kEcho6 || type == kExtendedEcho6;
    default:
      packet.protocol = "other";
      return true;
  }
  packet.source_port = port_at(bytes, offset);
  packet.port = port_at(bytes, offset + 2);
  return true;
}

}  // namespace

std::span<const sock_filter> witness_program() noexcept {
  return kProgram;
}

std::optional<Packet> read_packet(std::span<const std::uint8_t> bytes) {
  Packet packet;
  if (bytes.size() >= 20 && bytes[0] >> 4 == 4) {
    if (((bytes[6] << 8 | bytes[7]) & 0x1fff) != 0) return std::nullopt;
    packet.source = text_of(AF_INET, &bytes[12]);
    packet.destination = text_of(AF_INET, &bytes[16]);
    if (!describe(packet, bytes, bytes[9], std::size_t{bytes[0] & 0x0fU} * 4)) return std::nullopt;
    return packet;
  }
  if (bytes.size() < 40 || bytes[0] >> 4 != 6) return std::nullopt;
  packet.is_ipv6 = true;
  packet.source = v6_text(&bytes[8]);
  packet.destination = v6_text(&bytes[24]);
  std::uint8_t next = bytes[6];
  std::size_t offset = 40;
  if (!skip_extensions(bytes, next, offset) || !describe(packet, bytes, next, offset)) return std::nullopt;
  return packet;
}

std::optional<std::string> normal_address(const std::string& text) {
  std::array<std::uint8_t, 16> address{};
  if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) return text_of(AF_INET, address.data());
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return v6_text(address.data());
  return std::nullopt;
}

bool is_loopback_address(const std::string& normal) {
  return normal == "::1" || normal.rfind("127.", 0) == 0;
}

}  // namespace stella::sandbox
