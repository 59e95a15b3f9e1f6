// SPDX-License-Identifier: Apache-2.0
// Lines that concern the whole appliance: written into the ledger of every tenant that has one. One thread.
#pragma once

#include <string>

#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {

// kind: `clock` or `identity`; signed by `by`. Nothing happens where no policy is applied or no ledger exists.
void mark_ledgers(const files::Home& home, const site::Identity& by, const std::string& kind, const canon::Json& data,
                  clock::Time now);

}  // namespace stella::cli
