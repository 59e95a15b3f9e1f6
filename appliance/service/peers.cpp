// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/peers.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/stamp.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/policy.hpp"

namespace stella::service {
namespace {

constexpr auto kTellAgain = std::chrono::seconds(10);
constexpr std::size_t kMostRemembered = 4096;

}  // namespace

uid_t peer_uid(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    throw fault::system_error(errno, "asking who connected to", "the socket");
  return peer.uid;
}

Person Peers::admit(uid_t uid, Clock::time_point now) {
  Person person{.uid = uid, .user = site::user_of(uid), .tenants = {}};
  const auto applied = site::load_applied(*home_);
  if (applied) person.tenants = site::tenants_of(applied->policy, uid);
  if (!person.tenants.empty()) return person;
  const std::string why = applied ? fmt::format("not an operator of any tenant of site {}", applied->policy.site)
                                  : std::string("no site policy is applied here, so nobody is an operator");
  note_refused(person, why, now);
  throw fault::Error(fault::Code::access_denied, "unlisted",
                     fmt::format("{}: {}", canon::printable(person.user, 80), why), {},
                     "Have a site admin list you as an operator; `stella site apply` takes the new policy in.");
}

bool Peers::policy_changed() {
  std::string now = files::stamp_of(home_->site() + "/policy.dsse.json");
  if (now == policy_) return false;
  policy_ = std::move(now);
  return true;
}

bool Peers::is_listed_still(const Person& person) const {
  try {
    const auto applied = site::load_applied(*home_);
    const auto now = applied ? site::tenants_of(applied->policy, person.uid) : std::vector<std::string>();
    return std::ranges::all_of(person.tenants,
                               [&](const std::string& one) { return std::ranges::find(now, one) != now.end(); });
  } catch (const fault::Error&) {
    return false;
  }
}

void Peers::note_refused(const Person& person, const std::string& why, Clock::time_point now) {
  if (refused_.size() >= kMostRemembered) refused_.clear();
  const auto [place, is_first] = refused_.try_emplace(person.uid);
  Refusals& known = place->second;
  ++known.since;
  if (!is_first && now - known.told < kTellAgain) return;
  log_(fmt::format("refused uid {} ({}), {} times: {}", person.uid, canon::printable(person.user, 80), known.since,
                   why));
  known = {.told = now, .since = 0};
}

}  // namespace stella::service
