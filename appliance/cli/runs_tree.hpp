// SPDX-License-Identifier: Apache-2.0
// The steps of a run as a tree, from the rows of run::summary_json. One thread.
#pragma once

#include "appliance/cli/output.hpp"

namespace stella::cli {

// folded: a group with more than 50 members shows their count (`812/1000 done, 2 failed`) and, of the members, only
// those that failed or run, at most ten.
enum class Fold { large_groups, nothing };

void say_tree(Output& out, const canon::Json& steps, Fold fold);

}  // namespace stella::cli
