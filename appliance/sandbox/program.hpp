// SPDX-License-Identifier: Apache-2.0
// Which program of a step an attempt came from, by best effort: the packet witness sees packets, not processes.
// Reads the step's own /proc, so only its processes are looked at; bounded. One step, one thread.
#pragma once

#include <string>

#include "appliance/sandbox/witness.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {

class Programs {
 public:
  explicit Programs(files::Fd proc) : proc_(std::move(proc)) {}
  // Exact while the sending socket is open and known to the kernel by its port (UDP, DNS questions). The kernel forgets
  // a refused TCP connection at once: then it is the only process that holds a socket, or the only one that is running
  // at this moment, or the only one there is. `unknown` where that is not clear: no name is better than a wrong one.
  [[nodiscard]] std::string sender_of(const Packet& packet) const;

 private:
  files::Fd proc_;
};

}  // namespace stella::sandbox
