// SPDX-License-Identifier: Apache-2.0
// doctor on notifications: ways that are closed, a spool that takes no file, messages that do not leave. Looks only.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "appliance/cli/doctor.hpp"
#include "appliance/notify/outbox.hpp"
#include "appliance/notify/target.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

constexpr auto kTooLong = std::chrono::hours(1);

// A rule for some packs only may have an entry for those: `*` stands for a rule for all.
bool is_closed(const site::Policy& policy, const site::Notification& rule) {
  const std::string pack = rule.packs.empty() ? "*" : rule.packs.front();
  const auto way = notify::find_way(policy, rule, pack);
  const auto* barred = std::get_if<notify::Barred>(&way);
  return barred != nullptr && barred->reason != "sealed";
}

std::vector<std::string> closed_ways(const site::Policy& policy) {
  std::set<std::string> closed;
  for (const site::Notification& rule : policy.notifications)
    if (rule.to != "spool" && is_closed(policy, rule)) closed.insert(notify::target_words(rule));
  return {closed.begin(), closed.end()};
}

// What stands in its way; empty: it takes files, or will be made.
std::string trouble_with_spool(const files::Home& home) {
  const std::string path = notify::spool_of(home);
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISDIR(found.st_mode)) return path + " is no folder";
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0) return path + " cannot be written to";
  return {};
}

Finding look_at_outbox(const files::Home& home, clock::Time now) {
  if (!notify::Outbox::exists(home)) return {"notify", Health::good, "nobody was to be told yet"};
  const auto outbox = notify::Outbox::open(home);
  const auto oldest = outbox.oldest_queued();
  if (!oldest) return {"notify", Health::good, "no message waits"};
  const std::string many = fmt::format("{} waiting", outbox.count(notify::State::queued));
  if (now - oldest->made < kTooLong) return {"notify", Health::good, many};
  return {"notify", Health::warning,
          fmt::format("{}, one for {} since {} ({}): `stella notify list --state queued`", many,
                      canon::printable(oldest->where, 120), clock::format(oldest->made),
                      oldest->reason.empty() ? "never tried" : canon::printable(oldest->reason, 60))};
}

}  // namespace

std::vector<Finding> look_at_notifications(const files::Home& home, clock::Time now) {
  std::vector<Finding> findings;
  try {
    const auto applied = site::load_applied(home);
    if ((!applied || applied->policy.notifications.empty()) && !notify::Outbox::exists(home)) return {};
    if (applied)
      for (const std::string& way : closed_ways(applied->policy))
        findings.push_back(
            {"notify", Health::warning,
             fmt::format("no entry of network.allow with `for: [stella]` lets messages go to {}: they lie "
                         "in the spool",
                         way)});
    if (const std::string trouble = trouble_with_spool(home); !trouble.empty())
      findings.push_back({"notify", Health::bad, trouble + ": no message can be kept"});
    else
      findings.push_back(look_at_outbox(home, now));
  } catch (const fault::Error& error) {
    findings.push_back({"notify", Health::bad, fmt::format("{}: {}", fault::info(error.code()).name, error.what())});
  }
  return findings;
}

}  // namespace stella::cli
