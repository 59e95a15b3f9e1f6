// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/submit.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>

#include "appliance/journal/via.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/run/record.hpp"
#include "appliance/run/tally.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

constexpr std::time_t kStaleAfter = 24 * 3600;

// A folder that becomes the run's; removed when the run does not come about.
class Staging {
 public:
  explicit Staging(const files::Home& home) : path_(fmt::format("{}/.staging-{}", home.runs(), canon::random_hex(8))) {
    for (const char* name : {"inputs", "work", "artifacts", "logs", "outputs", "approvals", "evidence"})
      files::make_folders(path_ + "/" + name);
  }
  ~Staging() {
    if (kept_) return;
    try {
      files::remove_tree(path_);
    } catch (const Error&) {  // remove_stale finds it later
    }
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void keep() noexcept { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

// What submissions that were killed have left.
void remove_stale(const files::Home& home) {
  for (const auto& entry : std::filesystem::directory_iterator(home.runs())) {
    struct stat found {};
    const bool staging = entry.path().filename().string().starts_with(".staging-");
    if (!staging || ::lstat(entry.path().c_str(), &found) != 0) continue;
    if (std::time(nullptr) - found.st_mtime > kStaleAfter) files::remove_tree(entry.path().string());
  }
}

void fill(const std::string& folder, const admission::Admitted& admitted, const pack::Inputs& inputs,
          const plan::Plan& plan, const site::Applied& policy) {
  packfile::write_pack(admitted.pack, bundle_of(folder));
  files::write_atomically(policy_of(folder), policy.envelope_bytes, 0600);
  files::write_atomically(plan_of(folder), plan.bytes, 0600);
  files::write_atomically(inputs_of(folder), canon::canonical(inputs.given), 0600);
  for (const auto& [name, file] : inputs.files) pack::copy_file_input(name, file, folder + "/inputs/" + name);
  files::sync_folder(folder);
}

void require_asked(const plan::Plan& plan, const std::string& asked) {
  if (asked.empty()) return;
  const canon::Digest wanted = canon::parse_digest(asked, Code::usage, "--plan-hash");
  if (wanted == plan.hash) return;
  throw Error(Code::pack_hash_mismatch, "asked",
              fmt::format("the plan is {} now, {} was asked for", plan.hash_text(), wanted.tagged()), plan.pack_name,
              "See what changed with `stella pack plan --diff`; nothing was started.");
}

}  // namespace

journal::NewEvent planned_event(const plan::Plan& plan, const site::Policy& policy) {
  return {"pack.run.planned",
          {},
          {{"planHash", plan.hash_text()},
           {"policy", {{"version", policy.version}, {"digest", policy.digest.tagged()}}},
           {"simulation", plan::simulation(plan)}}};
}

journal::RunRow submit(const files::Home& home, journal::Journal& journal, const Submission& submission,
                       clock::Time now) {
  const auto applied = site::load_applied(home);
  if (applied) site::require_valid(applied->policy, now);
  const admission::Admitted admitted =
      admission::admit(home, submission.wanted, applied ? &applied->policy : nullptr, submission.tenant);
  const pack::Inputs inputs =
      pack::read_inputs(admitted.manifest, submission.inputs, admission::reader_of(admitted.pack));
  const plan::Plan plan = plan::make({.manifest = admitted.manifest,
                                      .pack_digest = admitted.pack.digest,
                                      .inputs = inputs,
                                      .policy = &applied->policy,
                                      .tenant = submission.tenant});
  require_asked(plan, submission.asked_hash);
  remove_stale(home);
  Staging staging(home);
  fill(staging.path(), admitted, inputs, plan, *applied);
  const std::string who = site::operator_name(applied->policy.find_tenant(submission.tenant));
  journal::RunRow draft;
  draft.tenant = submission.tenant;
  draft.pack = plan.pack_name;
  draft.version = plan.pack_version;
  draft.pack_digest = plan.pack_digest.tagged();
  draft.plan_hash = plan.hash_text();
  draft.state = "planned";
  draft.requested_by = who;
  draft.folder = staging.path();
  draft.detail = {{"steps", StepTally(plan).json()}};
  canon::Json data = {{"by", who},
                      {"pack", plan.pack_name},
                      {"version", plan.pack_version},
                      {"packDigest", draft.pack_digest},
                      {"planHash", draft.plan_hash}};
  journal::put_via(data, submission.via);
  if (!submission.asked_hash.empty()) data["askedHash"] = submission.asked_hash;
  const journal::RunRow row = journal.create_run(draft, {"pack.run.submitted", {}, std::move(data)}, now);
  staging.keep();
  files::crash_point("run.submitted");
  const std::vector<journal::NewEvent> planned = {planned_event(plan, applied->policy)};
  journal.append(row.id, planned, {}, now);
  files::crash_point("run.planned");
  return row;
}

}  // namespace stella::run
