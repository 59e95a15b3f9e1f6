// SPDX-License-Identifier: Apache-2.0
// The service of a service home: takes requests on a Unix socket, and starts for each one, whose peer the site policy
// lists, a process that does it as that person (security.md rule 7). One thread.
#pragma once

#include <functional>
#include <string>

#include "appliance/service/worker.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::service {

struct Limits {
  std::size_t all = 64, each = 8;  // connections at once: of everybody, of one uid
};
struct Serving {
  std::string socket;  // an absolute path
  std::string group;   // who may connect; empty: the group of the service itself
  Limits limits = {};
  Patience patience = {};
  std::function<void(const std::string&)> log;  // one printable line
  std::function<void()> ready;                  // called once it listens
  std::function<void()> turn = {};              // called twice a second or more often, on this thread
  std::function<void()> stopping = {};          // called on a thread of its own once it takes no more connections
};

// Until `stop` can be read; then no more connections are taken, every process gets SIGTERM (runs pause), and it returns
// when they have ended. ERR_HOME_UNSAFE, reason `personal`, in a home that root has not made a service's.
// ERR_SERVE_BUSY, reason `running`, when another one serves the home or the socket.
void serve(const files::Home& home, const Serving& serving, const files::Fd& stop);

}  // namespace stella::service
