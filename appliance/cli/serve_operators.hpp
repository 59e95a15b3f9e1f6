// SPDX-License-Identifier: Apache-2.0
// `stella serve --socket`: does the work of a service home for its operators, until SIGTERM. One thread.
#pragma once

#include "appliance/cli/command.hpp"
#include "bundles/files/fd.hpp"

namespace stella::cli {

[[nodiscard]] Option serve_socket_option();  // --socket [PATH]
[[nodiscard]] bool serves_operators(const Invocation& call);
// Until SIGTERM, SIGINT or SIGHUP. The path is --socket's, else the one that root's service.json names.
int serve_operators(Invocation& call);

}  // namespace stella::cli
