// SPDX-License-Identifier: Apache-2.0
// The child: builds its namespaces, starts the step and stays as process 1, which reaps, passes SIGTERM on, and ends
// the whole tree with itself when the step is done or the parent is gone. Async-signal-safe from the first line.
#pragma once

#include "appliance/sandbox/blueprint.hpp"

namespace stella::sandbox {

struct Ends {
  int socket, input, output, errors;
};  // of the child: reports, and the step's three streams

// Never returns.
[[noreturn]] void live_as_init(const Blueprint& blueprint, const Ends& ends) noexcept;

}  // namespace stella::sandbox
