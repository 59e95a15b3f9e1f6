// SPDX-License-Identifier: Apache-2.0
// A run's log, out of its shared chunks, as plain files of the bag: data/logs/<step>.<try>.log, one for each try that
// printed something. One thread.
#pragma once

#include <map>

#include "appliance/attest/seal.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/evidence/bag.hpp"
#include "bundles/evidence/names.hpp"

namespace stella::attest {

// `digests` gets each file's digest by its name in the bag. ERR_JOURNAL_TAMPERED reason `log` when the text of a
// finished try is not what its pack.step.finished event names.
void add_logs(evidence::BagWriter& bag, evidence::SafeNames& names, const Facts& facts,
              std::map<std::string, canon::Digest>& digests);

}  // namespace stella::attest
