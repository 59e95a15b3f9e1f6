// SPDX-License-Identifier: Apache-2.0
// Puts the manifest of each finished run into the folder that the site policy names (`offlineKit.folder`). Every
// process that opens the journal delivers what is outstanding; a folder that is missing or full, and a file that
// cannot be written, are tried again by the next one; such a file keeps no other back. One thread; of several processes
// one delivers at a time.
//
// runs/kit.json remembers how far the home was looked through, and the runs that are outstanding: {"folder",
// "revision", "waiting": [{run, why}]}. Nothing is lost with it: it is made anew and the same files are found in place.
#pragma once

#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "bundles/site/policy.hpp"

namespace stella::kit {

// Never fails the caller: what went wrong is remembered per run. Nothing where the policy names no folder. The folder
// is never made: an unmounted disk must not be written beneath.
void deliver(const files::Home& home, const journal::Journal& journal) noexcept;

// The same for one run that has just ended, also in a process that sees the runs of some tenants only. Remembers
// nothing.
void deliver_run(const files::Home& home, const journal::Journal& journal, const std::string& run) noexcept;

struct Waiting {
  std::string run, why;
};
struct Standing {
  std::string folder;  // empty: the site has no kit folder
  std::vector<Waiting> waiting;
};
[[nodiscard]] Standing standing(const files::Home& home);
// The manifest's path where it is there; empty: it is not, or there is no folder.
[[nodiscard]] std::string find_delivered(const files::Home& home, const journal::RunRow& row);

}  // namespace stella::kit
