// SPDX-License-Identifier: Apache-2.0
// Traces as files, for collectors that read folders. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "appliance/journal/journal.hpp"

namespace stella::trace {

// Old or new content, nothing between, mode 0644; how many lines it has. Errors of files::AtomicFile.
std::size_t write_trace_file(const journal::Journal& journal, const journal::RunRow& run, const std::string& path);

// trace_<run with _ for :>_<attempt>.jsonl for each run that has ended and whose row changed at `since` or later. A
// file that is there was written whole and is left alone, so a collector sees no line twice.
struct Exported {
  std::size_t written = 0, there = 0;
};
Exported export_ended(const journal::Journal& journal, const std::string& folder,
                      const std::optional<clock::Time>& since);

}  // namespace stella::trace
