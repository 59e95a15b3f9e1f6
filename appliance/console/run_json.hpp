// SPDX-License-Identifier: Apache-2.0
// What the API says about runs, for pages too. A worker's thread.
#pragma once

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "bundles/canon/json.hpp"

namespace stella::console {

// GET /api/runs: {runs: [...], more, next}, filtered by the visit's query (state pack tenant since limit cursor).
[[nodiscard]] canon::Json runs_page(Desk& desk, const Visit& visit);
// The same as text, kept until the journal changes (but with `since`).
[[nodiscard]] std::string runs_text(Desk& desk, const Visit& visit);
// GET /api/runs/{id}: run::summary_json without this machine's paths.
[[nodiscard]] canon::Json run_page(Desk& desk, const journal::RunRow& row, clock::Time now);

}  // namespace stella::console
