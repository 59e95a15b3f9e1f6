// SPDX-License-Identifier: Apache-2.0
// The engine as `pack run` uses it, in this process, with something else in the sandbox's place where only the engine
// is to be measured: journal, plan, log and evidence are the real ones.
#pragma once

#include <functional>
#include <string>

#include "appliance/sandbox/step.hpp"
#include "tests/bench/site.hpp"

namespace stella::bench {

using Sandbox = std::function<sandbox::Result(const sandbox::Spec&, sandbox::Observer&)>;

// The step's program by posix_spawn, its output to nowhere: no namespaces, no view, no filter.
[[nodiscard]] sandbox::Result spawn_bare(const sandbox::Spec& spec, sandbox::Observer& observer);
void spawn_and_wait(const std::string& program);

// Submits and runs a pack to its end, which must be `succeeded`; the run's id.
std::string run_engine(const Site& site, const std::string& pack, const Sandbox& sandbox = spawn_bare);

// fsync, fdatasync, syncfs and sync_file_range calls of this process so far, its libraries' too.
[[nodiscard]] long syncs_so_far();

}  // namespace stella::bench
