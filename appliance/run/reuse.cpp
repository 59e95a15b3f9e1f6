// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/reuse.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "appliance/run/course.hpp"
#include "appliance/run/outputs.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

// Finished steps that need not run again in a new attempt: the same node of the plan, and nothing they need, nor the
// groups around them, runs again. Gates do not count there: whether one asks anew is decided by what it releases.
class Reuse {
 public:
  Reuse(const Progress& progress, const Steps& steps, const std::map<std::string, std::string>& altered)
      : progress_(progress), steps_(steps) {
    for (const auto& [id, why] : altered) mark_altered(id);
    for (const plan::Step* step : steps_) look_at(*step);
    for (const plan::Step* step : steps_) {
      if (step->kind == plan::Kind::gate_approval && !releases_only_kept(*step)) kept_.erase(step->id);
    }
  }
  [[nodiscard]] const std::set<std::string>& kept() const { return kept_; }

 private:
  // A group that holds an altered step is not taken over as a whole.
  void mark_altered(const std::string& id) {
    for (const plan::Step* step = find_step(steps_, id); step != nullptr; step = find_step(steps_, step->parent))
      altered_.insert(step->id);
  }
  [[nodiscard]] bool is_same(const plan::Step& step, const StepProgress& before) const {
    return is_done(before.state) && before.digest == step.digest.tagged() && !altered_.contains(step.id);
  }
  void look_at(const plan::Step& step) {
    const StepProgress& before = progress_.step(step.id);
    const auto same = [&](const std::string& need) { return kept_.contains(need) || is_gate(need); };
    const bool needs_kept = std::all_of(step.needs.begin(), step.needs.end(), same);
    const bool inside_kept = inside(step.parent) && needs_kept;
    const bool whole = step.parent.empty() ? false : kept_whole_.contains(step.parent);
    if (step.kind == plan::Kind::item ? whole : is_group(step.kind) && is_same(step, before) && inside_kept)
      kept_whole_.insert(step.id);
    // What a loop polled until it gave up is polled again.
    const bool gave_up = step.kind == plan::Kind::loop && !step.until.empty() && !is_done(before.state);
    if (whole || (inside_kept && !gave_up)) inside_.insert(step.id);
    if (step.kind == plan::Kind::gate_approval) {
      if (is_done(before.state)) kept_.insert(step.id);
      gates_.insert(step.id);
    } else if (whole ? before.state != StepState::pending : is_same(step, before) && inside_kept) {
      kept_.insert(step.id);
    }
  }
  [[nodiscard]] bool is_gate(const std::string& id) const { return gates_.contains(id) && kept_.contains(id); }
  [[nodiscard]] bool inside(const std::string& parent) const { return parent.empty() || inside_.contains(parent); }
  [[nodiscard]] bool releases_only_kept(const plan::Step& gate) const {
    const auto released = released_by(steps_, gate.gate.id);
    const std::set<std::string> behind(released.begin(), released.end());
    return std::all_of(steps_.begin(), steps_.end(), [&](const plan::Step* step) {
      const bool works = step->kind == plan::Kind::run || step->kind == plan::Kind::gate_policy;
      return !works || !behind.contains(step->id) || kept_.contains(step->id) || kept_whole_.contains(step->parent);
    });
  }

  const Progress& progress_;
  const Steps& steps_;
  std::set<std::string> kept_, kept_whole_, inside_, gates_, altered_;
};

// The step that wrote each path last, and what it wrote.
struct Left {
  std::string step, digest;
  std::int64_t seq = 0;
};

std::map<std::string, Left> left_by_path(const Progress& progress) {
  std::map<std::string, Left> found;
  for (const auto& [id, step] : progress.steps) {
    if (!is_done(step.state)) continue;
    for (const Json& one : step.artifacts) {
      Left& left = found[one.at("path").get<std::string>()];
      if (left.step.empty() || left.seq < step.ended_seq)
        left = {.step = id, .digest = one.at("sha256").get<std::string>(), .seq = step.ended_seq};
    }
  }
  return found;
}

std::string problem_of(const std::string& artifacts, const std::string& path, const std::string& digest) {
  try {
    const auto stored = check_outputs({pack::Output{.name = path, .path = path}}, artifacts);
    if (stored.front().digest == digest) return {};
    return fmt::format("its artifact {} is not what it left any more", canon::printable(path, 200));
  } catch (const Error& error) {
    if (error.reason() != "output") throw;
    return fmt::format("its artifact {} is missing", canon::printable(path, 200));
  }
}

void require_artifacts_folder(const std::string& path, const std::string& run) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return;
  throw Error(Code::artifact_store, "gone", fmt::format("the artifacts of {} are not there: {}", run, path), path,
              "Bring the folder back. If it is lost, make an empty one: the steps that filled it then run again.");
}

}  // namespace

std::map<std::string, std::string> altered_artifacts(const Record& record) {
  std::map<std::string, std::string> altered;
  if (record.progress.artifacts_removed) {  // and what lay in /work, of which nobody knows who needs it
    for (const std::string& id : record.progress.done())
      altered.emplace(id, "what it left was removed with the run's artifacts");
    return altered;
  }
  const std::string folder = record.row.folder + "/artifacts";
  const auto all = left_by_path(record.progress);
  if (!all.empty()) require_artifacts_folder(folder, record.row.id);
  for (const auto& [path, left] : all) {
    if (const std::string problem = problem_of(folder, path, left.digest); !problem.empty())
      altered.emplace(left.step, problem);
  }
  return altered;
}

std::set<std::string> reusable(const Progress& progress, const Steps& steps,
                               const std::map<std::string, std::string>& altered) {
  return Reuse(progress, steps, altered).kept();
}

}  // namespace stella::run
