// SPDX-License-Identifier: Apache-2.0
// One decision at a time per run: held while a request is made or a response is taken in. Other than the run's lock, it
// is free while a runner waits at the gate. Dies with the process.
#pragma once

#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/fd.hpp"

namespace stella::decision {

class Turn {
 public:
  explicit Turn(const std::string& run_folder);  // waits for its turn

 private:
  files::Fd fd_;
};

// Whether an event of this type about this request or response is there.
[[nodiscard]] bool has_event(const std::vector<journal::Event>& events, const std::string& type,
                             const canon::Digest& dsse);

}  // namespace stella::decision
