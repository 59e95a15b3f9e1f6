// SPDX-License-Identifier: Apache-2.0
// What the verbs about logs ask for (--grep, --since, --step), and how they show a line. One thread.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "appliance/cli/command.hpp"
#include "appliance/cli/log_lines.hpp"
#include "appliance/journal/journal.hpp"

namespace stella::cli {

[[nodiscard]] std::unique_ptr<re2::RE2> pattern_of(Invocation& call);  // --grep; ERR_USAGE, reason `grep`; null: none
[[nodiscard]] bool matches_line(const re2::RE2& pattern, std::string_view line);
// --since: a time, or how long ago.
[[nodiscard]] std::optional<clock::Time> since_of(Invocation& call);
// A step's own lines, or those of all that a map, loop or other group of that name holds.
[[nodiscard]] bool is_wanted(std::string_view asked, std::string_view step);
// A tab between words is what it is; everything else that could steer a terminal is written out.
[[nodiscard]] std::string shown_line(std::string_view line);

struct LogPlace {  // whose line it is
  explicit LogPlace(const journal::RunRow& row);
  std::string run, pack, tenant;  // pack: NAME:VERSION
};
// {runId, packId, tenant, stepId, step, try, stream, at, line, text}: `step` is `stepId` under its older name.
[[nodiscard]] canon::Json log_row(const LogPlace& place, const LogLine& line);

}  // namespace stella::cli
