// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "bundles/files/read.hpp"
#include "bundles/site/identity.hpp"

namespace stella::site {
namespace {

// The uid that logged in survives su and sudo; -1 (as unsigned) means that nobody did, as for a service.
std::optional<uid_t> find_login_uid() {
  std::string text;
  try {
    const files::Fd file = files::open_input("/proc/self/loginuid", {.max_bytes = 64, .empty = files::Empty::allow});
    text = files::read_stream(file.get(), 64, "/proc/self/loginuid");
  } catch (const fault::Error&) {
    return std::nullopt;  // a kernel without audit
  }
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  if (error != std::errc() || end == text.data() || uid == static_cast<uid_t>(-1)) return std::nullopt;
  return uid;
}

std::optional<uid_t>& acting_uid() {
  static std::optional<uid_t> uid;
  return uid;
}

}  // namespace

void act_for(std::optional<uid_t> uid) {
  acting_uid() = uid;
}

std::optional<uid_t> acted_for() {
  return acting_uid();
}

std::string user_of(uid_t uid) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return fmt::format("uid:{}", uid);
}

std::string operator_user() {
  if (acting_uid()) return user_of(*acting_uid());
  return user_of(find_login_uid().value_or(::getuid()));
}

std::vector<std::string> tenants_of(const Policy& policy, uid_t uid) {
  const std::string user = user_of(uid);
  std::vector<std::string> names;
  for (const Tenant& tenant : policy.tenants) {
    const bool listed = std::any_of(tenant.operators.begin(), tenant.operators.end(),
                                    [&](const Operator& each) { return each.user == user; });
    if (listed) names.push_back(tenant.name);
  }
  return names;
}

std::string operator_name(const Tenant* tenant) {
  const std::string user = operator_user();
  if (tenant != nullptr) {
    const auto found = std::find_if(tenant->operators.begin(), tenant->operators.end(),
                                    [&](const Operator& each) { return each.user == user; });
    if (found != tenant->operators.end()) return found->name;
  }
  return "unlisted:" + user;
}

}  // namespace stella::site
