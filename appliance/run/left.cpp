// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/left.hpp"

#include <sys/stat.h>

#include "appliance/logs/lines.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/tree.hpp"

namespace stella::run {
namespace {

constexpr std::size_t kMostLines = 20, kMostFiles = 50, kMostLetters = 400;

void add_newer(const std::string& root, const std::string& shown, clock::Time since, std::vector<std::string>& found) {
  const std::int64_t start = since.time_since_epoch().count();
  for (const files::Entry& entry : files::list_hostile_tree(root).entries) {
    if (found.size() >= kMostFiles) return;
    struct stat status {};
    if (entry.kind == files::Kind::folder || ::lstat((root + "/" + entry.path).c_str(), &status) != 0) continue;
    const std::int64_t changed = std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1000000;
    if (changed >= start) found.push_back(shown + "/" + canon::printable(entry.path, 400));
  }
}

}  // namespace

Prospect::Left left_by(const Record& record, const std::string& id, const StepProgress& step) {
  Prospect::Left left{.step = id, .printed = {}, .changed = {}};
  left.printed = logs::last_lines({record.row.folder + "/logs", id, step.tries}, kMostLines, kMostLetters);
  add_newer(record.row.folder + "/work", "/work", step.started_at, left.changed);
  add_newer(record.row.folder + "/artifacts", "/artifacts", step.started_at, left.changed);
  const plan::Step* planned = find_step(record.steps(), id);
  if (planned == nullptr || !planned->secrets.empty()) {
    left.withheld = left.changed.size();
    left.changed.clear();
  }
  return left;
}

}  // namespace stella::run
