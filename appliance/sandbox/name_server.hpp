// SPDX-License-Identifier: Apache-2.0
// Answers a step's DNS questions, over UDP and TCP, from what the policy pinned. There is no resolver behind it:
// nothing a step asks goes anywhere. One step, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "appliance/sandbox/dns.hpp"
#include "appliance/sandbox/watch.hpp"
#include "appliance/sandbox/witness.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {

class NameServer {
 public:
  // Called for each question with its sender, before the answer goes out: the asking program is still waiting for it.
  using Decide = std::function<Answer(const Question& question, const Packet& from)>;
  NameServer(Watch& watch, files::Fd udp, files::Fd tcp, Decide decide);
  ~NameServer();

 private:
  struct Talk {
    files::Fd fd;
    std::vector<std::uint8_t> received;
  };
  [[nodiscard]] std::vector<std::uint8_t> reply(std::span<const std::uint8_t> message, const Packet& from);
  void read_datagrams();
  void accept_talk();
  void read_talk(Talk& talk);
  void end_talk(Talk& talk);
  Watch& watch_;
  files::Fd udp_, tcp_;
  Decide decide_;
  std::list<std::unique_ptr<Talk>> talks_;
};

}  // namespace stella::sandbox
