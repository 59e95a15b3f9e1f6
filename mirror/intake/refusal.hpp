// SPDX-License-Identifier: Apache-2.0
// What a refused pull leaves behind: quarantine/<import>/reason.json {"schema", "import", "at", "from", "code",
// "by", "reason", "message", "place"} and a signed receipt with the same. The registry's lock is the caller's.
#pragma once

#include <string>

#include "bundles/clock/time.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"

namespace stella::intake {

// Whether the error says something about the bundle: a full disk, an absent medium or a wrong argument does not.
[[nodiscard]] bool is_refusal(const fault::Error& error);
struct Bringer {
  std::string from, by;  // the medium as it was named; who
};
void record_refusal(const files::Home& home, const site::Identity& identity, clock::Time now, const Bringer& bringer,
                    const fault::Error& error);

}  // namespace stella::intake
