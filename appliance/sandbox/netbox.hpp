// SPDX-License-Identifier: Apache-2.0
// The step's network: an empty namespace in which every address is its own (AnyIP), a listener on each allowed address
// and port, a name server, and a packet socket that sees what was tried. Child side; async-signal-safe throughout.
// Nothing leaves: the only way out is the relay that the parent runs behind the listeners.
#pragma once

#include "appliance/sandbox/blueprint.hpp"
#include "appliance/sandbox/report.hpp"

namespace stella::sandbox {

struct NetSockets {
  int name_server_udp = -1, name_server_tcp = -1, witness = -1;
};

// Ends the child with a report when something fails. The listeners are sent to the parent at once, in their order.
[[nodiscard]] NetSockets build_netbox(const Blueprint& blueprint, int socket) noexcept;

// Settings that need /proc: echo requests stay unanswered (AnyIP would answer for any host), and ICMP sockets may be
// opened so that a ping becomes a packet that the witness can name. `proc` is the folder of a mounted proc.
[[nodiscard]] bool set_network_switches(int proc, const char* ping_group, std::size_t size) noexcept;

}  // namespace stella::sandbox
