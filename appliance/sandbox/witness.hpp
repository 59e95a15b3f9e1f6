// SPDX-License-Identifier: Apache-2.0
// The packet witness: which packets on the step's loopback are attempts to reach something, and what they say.
//
// Passed by the kernel's filter: TCP segments that open a connection, every UDP datagram, echo requests, and protocols
// it does not know, when the destination is not a loopback address (of 127/8 but 127.0.0.1: TCP only). Never data
// segments: an innocent step that moves a gigabyte over its own loopback must not overrun the buffer. Cannot be raced
// or silenced from inside: the socket is the parent's, and nothing leaves without passing `lo`.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace stella::sandbox {

// Classic BPF for a cooked packet socket (offset 0 is the IP header); returns the bytes to copy.
[[nodiscard]] std::span<const sock_filter> witness_program() noexcept;

struct Packet {
  std::string protocol;             // tcp udp icmp other
  std::string source, destination;  // addresses as text; IPv4 in IPv6 is unwrapped
  int source_port = 0, port = 0;
  bool is_ipv6 = false;
};
// nullopt: a later fragment, or something that is no attempt.
[[nodiscard]] std::optional<Packet> read_packet(std::span<const std::uint8_t> bytes);

// The one spelling of an address in events and comparisons; nullopt when it is none.
[[nodiscard]] std::optional<std::string> normal_address(const std::string& text);
[[nodiscard]] bool is_loopback_address(const std::string& normal);

}  // namespace stella::sandbox
