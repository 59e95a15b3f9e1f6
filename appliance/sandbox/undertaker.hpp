// SPDX-License-Identifier: Apache-2.0
// What is left when the last process of a step has ended and nobody should wait for: the namespaces' process 1 on its
// way out, and the packet socket. Taking down the mounts and closing that socket each cost a grace period of the
// kernel (10 ms and more on a busy machine), which the next step need not wait for.
#pragma once

#include "appliance/sandbox/namespaces.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {

// Returns at once; a thread of its own does it. Ends with the process, whose end does the same.
void bury(Child child, files::Fd witness) noexcept;

}  // namespace stella::sandbox
