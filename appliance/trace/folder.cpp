// SPDX-License-Identifier: Apache-2.0
#include "appliance/trace/folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "appliance/journal/states.hpp"
#include "appliance/trace/tracer.hpp"
#include "bundles/files/write.hpp"

namespace stella::trace {
namespace {

std::string file_name(const journal::RunRow& run) {
  std::string id = run.id;
  std::replace(id.begin(), id.end(), ':', '_');
  return fmt::format("trace_{}_{}.jsonl", id, run.attempt);
}

bool is_there(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

}  // namespace

std::size_t write_trace_file(const journal::Journal& journal, const journal::RunRow& run, const std::string& path) {
  files::AtomicFile file(path, 0644);
  std::size_t lines = 0;
  write_trace(journal, run, [&](std::string_view line) {
    file.write(line);
    ++lines;
  });
  file.commit();
  return lines;
}

Exported export_ended(const journal::Journal& journal, const std::string& folder,
                      const std::optional<clock::Time>& since) {
  Exported done;
  for (const std::string_view state : journal::kFinalStates) {
    for (const journal::RunRow& run : journal.in_state(std::string(state))) {
      if (since && run.updated < *since) continue;
      const std::string path = folder + "/" + file_name(run);
      if (is_there(path)) {
        ++done.there;
        continue;
      }
      (void)write_trace_file(journal, run, path);
      ++done.written;
    }
  }
  return done;
}

}  // namespace stella::trace
