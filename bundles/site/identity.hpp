// SPDX-License-Identifier: Apache-2.0
// Who this home is and who sits at it: making its identity, its mark, the user of the operator. Any thread; one writer.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"
#include "bundles/trust/key.hpp"

namespace stella::site {

[[nodiscard]] bool has_identity(const files::Home& home);
// Makes it once. An identity that is there already: ERR_USAGE reason `identity`. id: as is_name, else ERR_USAGE `name`.
Identity make_identity(const files::Home& home, const std::string& id, clock::Time now);
// The next key of the same id. The old one is kept as site/identity.<number>.key; its holder signs the new one in.
struct Renewed {
  Identity identity, previous;
};
Renewed renew_identity(const files::Home& home, clock::Time now);

// security.md rule 12: SHA-256 over the RFC 8785 bytes {home, id, machine}: inode of the home, inode of site/home.id,
// text of /etc/machine-id. A copied or restored home has another one.
struct HomeMark {
  std::string mark;  // sha256:HEX, as things are now
  bool moved;        // it is not the one that site/home.id recorded
};
// Makes site/home.id at the first call.
[[nodiscard]] HomeMark look_at_home(const files::Home& home);
// Records the present mark, after whoever found it moved has voided what was open.
void settle_home(const files::Home& home);

// The user name of the login uid (/proc/self/loginuid), else of the real uid; `uid:NUMBER` where it has no name. In a
// process that a service started for somebody, theirs.
[[nodiscard]] std::string operator_user();
[[nodiscard]] std::string user_of(uid_t uid);
// The tenants whose operators list this user.
[[nodiscard]] std::vector<std::string> tenants_of(const Policy& policy, uid_t uid);
// A service's process does what follows for the user of this uid. Once, before any other thread.
void act_for(std::optional<uid_t> uid);
[[nodiscard]] std::optional<uid_t> acted_for();

}  // namespace stella::site
