// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/escalation.hpp"

#include <array>

#include "bundles/canon/fields.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

constexpr std::array<std::string_view, 10> kKinds = {"pack",    "approvals", "secrets", "network",   "registry",
                                                     "machine", "integrity", "access",  "operation", "product"};
constexpr std::size_t kMaxContact = 200;

void check_contact(Object& kind, const char* name, Need need) {
  const std::string text = kind.text(name, need);
  if (text.empty()) return;
  if (text.size() > kMaxContact || canon::printable(text, kMaxContact) != text)
    kind.problem(name, "a contact is one line of at most 200 bytes that prints as it is", "contact");
}

}  // namespace

std::span<const std::string_view> problem_kinds() noexcept {
  return kKinds;
}

void read_escalation(Object& root) {
  std::optional<Object> escalation = root.object("escalation");
  if (!escalation) return;
  for (const std::string_view name : kKinds) {
    std::optional<Object> kind = escalation->object(name);
    if (!kind) continue;
    check_contact(*kind, "primary", Need::required);
    check_contact(*kind, "secondary", Need::optional);
    kind->finish();
  }
  escalation->finish();
}

std::optional<Contacts> contacts_of(const Policy& policy, std::string_view kind) {
  const canon::Json whole = canon::parse_json(policy.bytes, fault::Code::site_invalid, "policy");
  const auto all = whole.find("escalation");
  if (all == whole.end()) return std::nullopt;
  const auto found = all->find(std::string(kind));
  if (found == all->end()) return std::nullopt;
  return Contacts{.primary = found->at("primary").get<std::string>(), .secondary = found->value("secondary", "")};
}

}  // namespace stella::site
