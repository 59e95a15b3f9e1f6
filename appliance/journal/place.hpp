// SPDX-License-Identifier: Apache-2.0
// A tenant's places: as many of its runs may have a runner at once as the site policy says (tenants[].maxRuns). A place
// is a byte of one file per tenant, locked by the runner's process, so it ends with that process however it ends. Any
// thread, but one place a process: POSIX locks do not keep a process from itself.
#pragma once

#include <optional>
#include <string>

#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::journal {

constexpr int kMostPlaces = 1000;

class Place {
 public:
  explicit Place(files::Fd fd) : fd_(std::move(fd)) {}

 private:
  files::Fd fd_;
};

// Nothing when `most` (1 to kMostPlaces) or more runs of the tenant have one already; those taken under a higher limit
// count. `tenant` is a name of the policy's, so it can be a file's. System errors as files.
[[nodiscard]] std::optional<Place> try_take_place(const files::Home& home, const std::string& tenant, int most);

}  // namespace stella::journal
