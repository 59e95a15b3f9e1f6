// SPDX-License-Identifier: Apache-2.0
// pack init, validate: what a pack's author asks before anybody signs.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "appliance/admission/admission.hpp"
#include "appliance/admission/cache.hpp"
#include "appliance/cli/command.hpp"
#include "appliance/image/image.hpp"
#include "appliance/pack/folder.hpp"
#include "appliance/pack/runbook.hpp"
#include "appliance/pack/scaffold.hpp"
#include "bundles/canon/json.hpp"

namespace stella::cli {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

int init(Invocation& call) {
  const auto written = pack::write_scaffold(call.need("DIR"));
  for (const std::string& path : written) call.out().say("wrote " + path);
  call.out().note("next: stella pack validate --dir " + call.need("DIR"));
  call.out().result({{"written", written}});
  return 0;
}

struct Checked {
  pack::Reading reading;
  std::string digest;
  std::size_t signatures = 0;
  std::vector<pack::Problem> warnings = {};  // of the runbook; problems with --strict
};

Checked check_bundle(Invocation& call, const std::string& path) {
  admission::Cache cache(call.home());
  const packfile::Opened opened = cache.open(path);
  Checked checked{pack::read_manifest(packfile::read_file(opened, "pack.yaml", pack::kMaxManifest), "pack.yaml"),
                  opened.digest.tagged(), opened.signatures.size()};
  if (checked.reading.manifest.name_version() != opened.name_version())
    checked.reading.problems.push_back(
        {"pack.yaml",
         fmt::format("says {}, the pack itself {}", checked.reading.manifest.name_version(), opened.name_version()),
         "name"});
  for (auto& problem : pack::check_files(checked.reading.manifest, admission::reader_of(opened)))
    checked.reading.problems.push_back(std::move(problem));
  if (const auto& runtime = checked.reading.manifest.runtime)
    for (auto& problem : image::check_layouts(*runtime, image::layouts_in_pack(opened, runtime->name)))
      checked.reading.problems.push_back(std::move(problem));
  checked.warnings = pack::check_runbook(admission::reader_of(opened));
  return checked;
}

Checked check_folder(const std::string& folder) {
  Checked checked{pack::read_folder(folder), {}, 0};
  if (const auto& runtime = checked.reading.manifest.runtime)
    for (auto& problem : image::check_layouts(*runtime, image::layouts_in_folder(folder, runtime->name)))
      checked.reading.problems.push_back(std::move(problem));
  checked.warnings = pack::check_runbook(pack::reader_of_folder(folder));
  return checked;
}

Json say_problems(Output& out, const std::vector<pack::Problem>& problems, std::string_view word) {
  Json rows = Json::array();
  for (const pack::Problem& problem : problems) {
    rows.push_back({{"at", problem.at}, {"what", problem.what}, {"reason", problem.reason}});
    out.say(fmt::format("{}: {}{}", out.strong(problem.at), word, problem.what));
  }
  return rows;
}

int validate(Invocation& call) {
  const auto bundle = call.value("--bundle"), folder = call.value("--dir");
  if (bundle && folder) throw Error(Code::usage, "pack", "give one of --bundle FILE and --dir DIR", "--bundle");
  Checked checked = bundle ? check_bundle(call, *bundle) : check_folder(folder.value_or("."));
  if (call.flag("--strict")) {
    std::move(checked.warnings.begin(), checked.warnings.end(), std::back_inserter(checked.reading.problems));
    checked.warnings.clear();
  }
  const pack::Manifest& manifest = checked.reading.manifest;
  const Json problems = say_problems(call.out(), checked.reading.problems, "");
  Json result = {{"valid", problems.empty()},
                 {"name", manifest.name},
                 {"version", manifest.version},
                 {"problems", problems},
                 {"warnings", say_problems(call.out(), checked.warnings, "warning: ")}};
  if (bundle) result.update({{"digest", checked.digest}, {"signatures", checked.signatures}});
  call.out().result(result);
  pack::require_none(checked.reading.problems);
  call.out().say(fmt::format("{} {}: {} steps, {} inputs, {} secrets, {} hosts", call.out().good("valid"),
                             manifest.name_version(), manifest.steps.size(), manifest.inputs.size(),
                             manifest.secrets.size(), manifest.network.size()));
  if (bundle)
    call.out().say(fmt::format("  digest {}, signatures {} (whether they count is the site's to say)", checked.digest,
                               checked.signatures));
  return 0;
}

}  // namespace

std::vector<Command> pack_check_commands() {
  return {
      {{"pack", "init"},
       "write an example pack to start from",
       "stella pack init my-pack",
       {{"DIR", "the folder to make"}},
       {},
       init},
      {{"pack", "validate"},
       "list every problem of a pack and what its runbook lacks, with the place",
       "stella pack validate --dir my-pack",
       {},
       {{"--bundle", "FILE", "a .pack file"},
        {"--dir", "DIR", "a pack folder; left out: the current one"},
        {"--strict", "", "what the runbook lacks is a problem, not a warning"}},
       validate},
  };
}

}  // namespace stella::cli
