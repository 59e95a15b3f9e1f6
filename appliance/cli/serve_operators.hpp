// SPDX-License-Identifier: Apache-2.0
// `stella serve --socket`: does the work of a service home for its operators, until SIGTERM. One thread.
#pragma once

#include <functional>

#include "appliance/cli/command.hpp"
#include "bundles/files/fd.hpp"

namespace stella::cli {

[[nodiscard]] Option serve_socket_option();  // --socket [PATH]
[[nodiscard]] bool serves_operators(const Invocation& call);
struct Beside {
  const files::Fd& stop;           // readable once it is time to end
  std::function<void()> turn;      // what else this process does, twice a second or more often
  std::function<void()> stopping;  // it ends: no more operators are taken
};
// The path is --socket's, else the one that root's service.json names.
void serve_operators(Invocation& call, const Beside& beside);

}  // namespace stella::cli
