// SPDX-License-Identifier: Apache-2.0
// Privileged runs: how a step gets to own the run's folders. On disk they belong to `Identity::inside`; an id-mapped
// mount shows them to each step as its own user, whatever number that is outside. Where the file system cannot do that,
// they are given to the step's outer user instead, each time. The parent's side.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "appliance/sandbox/blueprint.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {

// Makes `owner` the owner of `path` and all beneath it, links not followed. Nothing to do when the top has it already:
// it is changed last. Throws system_error.
void give_tree(const std::string& path, std::uint32_t owner);
// Detached mounts in the order of `folders`, for a child whose maps are written.
[[nodiscard]] std::vector<files::Fd> folder_mounts(const Blueprint& blueprint, pid_t init);

}  // namespace stella::sandbox
