// SPDX-License-Identifier: Apache-2.0
// doctor: is this machine and this home fit to run packs? Looks only.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>

#include "appliance/cli/command.hpp"
#include "appliance/cli/doctor.hpp"
#include "appliance/kit/delivery.hpp"
#include "appliance/sandbox/step.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/clock_mark.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kEnough = std::uint64_t{64} << 20;  // below this a run could not even say that it stopped

// dm-crypt names its mappings CRYPT-...; what lies below a file system in another way is not seen.
bool is_encrypted(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  std::ifstream file(fmt::format("/sys/dev/block/{}:{}/dm/uuid", major(info.st_dev), minor(info.st_dev)));
  std::string uuid;
  return static_cast<bool>(file >> uuid) && uuid.starts_with("CRYPT-");
}

Finding look_at_policy(Invocation& call) {
  try {
    const auto applied = site::load_applied(call.home());
    if (!applied) return {"policy", Health::warning, "none is applied: nothing is trusted and no pack runs"};
    site::require_valid(applied->policy, call.clock().now());
    return {"policy", Health::good,
            fmt::format("site {} version {}", canon::printable(applied->policy.site, 80), applied->policy.version)};
  } catch (const Error& error) {
    return {"policy", Health::bad, fmt::format("{}: {}", fault::info(error.code()).name, error.what())};
  }
}

Finding look_at_space(const files::Home& home) {
  const std::uint64_t free = files::free_bytes(home.path());
  return {"space", free < kEnough ? Health::bad : Health::good, fmt::format("{} MiB free", free >> 20)};
}

// Nothing where the site has no kit folder.
std::optional<Finding> look_at_kit(const files::Home& home) {
  try {
    const kit::Standing kit = kit::standing(home);
    if (kit.folder.empty()) return std::nullopt;
    if (kit.waiting.empty())
      return Finding{"kit", Health::good, fmt::format("every finished run's manifest is in {}", kit.folder)};
    return Finding{"kit", Health::warning,
                   fmt::format("{} manifest{} to be put into {}, that of {} for one: {}", kit.waiting.size(),
                               kit.waiting.size() == 1 ? " waits" : "s wait", kit.folder, kit.waiting.front().run,
                               canon::printable(kit.waiting.front().why, 200))};
  } catch (const Error&) {  // the policy does not verify, which its own line says
    return std::nullopt;
  }
}

std::vector<Finding> examine(Invocation& call) {
  std::vector<Finding> findings;
  const std::string missing = sandbox::probe();
  findings.push_back({"sandbox", missing.empty() ? Health::good : Health::bad,
                      missing.empty() ? "namespaces, filter and an empty network are to be had" : missing});
  const files::Home& home = call.home();
  findings.push_back({"home", Health::good, home.path() + ", only this user can write to it"});
  findings.push_back({"disk", is_encrypted(home.path()) ? Health::good : Health::warning,
                      is_encrypted(home.path()) ? "the home is on an encrypted device"
                                                : "the home is not on an encrypted device that this can see: identity "
                                                  "key, inputs, logs and artifacts lie there in clear"});
  findings.push_back(look_at_space(home));
  findings.push_back(look_at_policy(call));
  const bool known = site::has_identity(home);
  findings.push_back(
      {"identity", known ? Health::good : Health::warning,
       known ? site::load_identity(home).id
             : "none yet: `stella site identity` makes it; requests, receipts and evidence are signed with it"});
  if (const auto kit = look_at_kit(home)) findings.push_back(*kit);
  for (Finding& finding : look_at_notifications(home, call.clock().now())) findings.push_back(std::move(finding));
  const std::string suspicion = site::look_at_clock(home, call.clock().now()).suspicion;
  findings.push_back({"clock", suspicion.empty() ? Health::good : Health::bad,
                      suspicion.empty() ? "not behind what was seen" : suspicion});
  return findings;
}

const char* word_of(Health health) {
  return health == Health::good ? "ok" : health == Health::warning ? "warning" : "bad";
}

canon::Json json_of(const std::vector<Finding>& findings) {
  canon::Json rows = canon::Json::array();
  bool fit = true;
  for (const Finding& finding : findings) {
    fit = fit && finding.health != Health::bad;
    rows.push_back({{"what", finding.what}, {"health", word_of(finding.health)}, {"says", finding.says}});
  }
  return {{"fit", fit}, {"findings", rows}};
}

int doctor(Invocation& call) {
  const std::vector<Finding> findings = examine(call);
  for (const Finding& finding : findings) {
    const char* word = word_of(finding.health);
    call.out().say(fmt::format("{:<8} {:<9} {}",
                               finding.health == Health::good ? call.out().good(word) : call.out().bad(word),
                               finding.what, finding.says));
  }
  const canon::Json report = json_of(findings);
  call.out().result(report);
  return report.at("fit").get<bool>() ? 0 : 1;
}

}  // namespace

canon::Json doctor_report(Invocation& call) {
  return json_of(examine(call));
}

std::vector<Command> doctor_commands() {
  return {{{"doctor"}, "is this machine and this home fit to run packs?", "stella doctor", {}, {}, doctor}};
}

}  // namespace stella::cli
