// SPDX-License-Identifier: Apache-2.0
// The list of runs. Pure; any thread.
#pragma once

#include <string>

#include "appliance/page/frame.hpp"

namespace stella::page {

struct RunsView {
  canon::Json runs = canon::Json::array();                     // rows as run::short_json gives them, newest first
  std::string state = {}, pack = {}, tenant = {}, since = {};  // the filters as they were asked for
  std::string next = {};                                       // address of the next page; empty: there is none
  std::string problem = {};                                    // of a filter
  clock::Time now{};
};

[[nodiscard]] std::string runs_page(const Frame& frame, const RunsView& view);

}  // namespace stella::page
