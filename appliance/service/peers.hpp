// SPDX-License-Identifier: Apache-2.0
// Who may ask the service for anything, and how much at once. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bundles/files/home.hpp"

namespace stella::service {

struct Person {
  uid_t uid = 0;
  std::string user;                  // the login name, or uid:NUMBER
  std::vector<std::string> tenants;  // where the applied policy lists them
};

// The uid at the other end of a connected Unix socket, as the kernel noted it when it connected.
[[nodiscard]] uid_t peer_uid(int socket);

class Peers {
 public:
  using Clock = std::chrono::steady_clock;
  // log: one line for the service's own log, already printable.
  Peers(const files::Home& home, std::function<void(const std::string&)> log) : home_(&home), log_(std::move(log)) {
    (void)policy_changed();
  }
  // Reads the applied policy afresh. ERR_ACCESS_DENIED, reason `unlisted`, for whom no tenant lists; that is logged,
  // at most once in ten seconds a uid, with how many there were.
  [[nodiscard]] Person admit(uid_t uid, Clock::time_point now);
  // Whether the applied policy is another one than at the last call.
  [[nodiscard]] bool policy_changed();
  // Whether the policy still lists them for all tenants that it listed them for; not when it cannot be read.
  [[nodiscard]] bool is_listed_still(const Person& person) const;

 private:
  void note_refused(const Person& person, const std::string& why, Clock::time_point now);
  struct Refusals {
    Clock::time_point told{};
    std::size_t since = 0;
  };
  const files::Home* home_;
  std::function<void(const std::string&)> log_;
  std::map<uid_t, Refusals> refused_;
  std::string policy_;  // the stamp of its file
};

}  // namespace stella::service
