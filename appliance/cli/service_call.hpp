// SPDX-License-Identifier: Apache-2.0
// Who does a verb: this process, or the service of a service home. An operator types the same command line in both.
// One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/cli/invocation.hpp"

namespace stella::cli {

// In front of a service (root's /etc/stella/service.json, or a home `unix:SOCKET`): hands the verb over and gives its
// exit status; nothing for verbs that need no home or that were given another one. The service's own user works in the
// service's home. ERR_ACCESS_DENIED, reason `verb`, for verbs of the service's administrator.
[[nodiscard]] std::optional<int> through_service(const Command& command, Parsed& parsed,
                                                 const std::vector<std::string>& arguments);

// In a process that the service started: refuses what an operator may not do, keeps to their tenants, and marks each
// path that they wrote as theirs. ERR_ACCESS_DENIED, reasons `verb`, `tenant`, `option`. Nothing in any other process.
void keep_to_order(const Command& command, Parsed& parsed);

}  // namespace stella::cli
