// SPDX-License-Identifier: Apache-2.0
#include "appliance/escalation/report.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "appliance/escalation/matrix.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/site/escalation.hpp"

namespace stella::escalation {
namespace {

TEST(Escalation, FindsAnOwnerForEveryCodeAndUsesEveryRow) {
  std::set<std::string_view> used = {owner_of("").kind};
  for (const fault::CodeInfo& row : fault::catalogue()) {
    const Owner& owner = owner_of(row.name);
    used.insert(owner.kind);
    EXPECT_FALSE(owner.primary.empty()) << row.name;
    EXPECT_EQ(owner.kind == "integrity", row.exit_status == 6) << row.name;
  }
  for (const Owner& owner : matrix()) EXPECT_TRUE(used.contains(owner.kind)) << owner.kind;
}

TEST(Escalation, SendsEachKindOfProblemToItsOwner) {
  const std::map<std::string_view, std::string_view> wanted = {{"ERR_PACK_STEP_FAILED", "pack"},
                                                               {"ERR_PACK_INVALID", "pack"},
                                                               {"ERR_PACK_APPROVAL_TIMEOUT", "approvals"},
                                                               {"ERR_APPROVAL_ROSTER", "approvals"},
                                                               {"ERR_PACK_SECRET_MISSING", "secrets"},
                                                               {"ERR_VAULT_SEALED", "secrets"},
                                                               {"ERR_PACK_NETWORK_BLOCKED", "network"},
                                                               {"AIRGAP_EGRESS_BLOCKED", "network"},
                                                               {"ERR_MIRROR_MALFORMED", "registry"},
                                                               {"ERR_PACK_NOT_FOUND", "registry"},
                                                               {"ERR_ARTIFACT_STORE", "machine"},
                                                               {"ERR_SANDBOX_UNAVAILABLE", "machine"},
                                                               {"ERR_EVIDENCE_TAMPERED", "integrity"},
                                                               {"ERR_MIRROR_ROLLBACK", "integrity"},
                                                               {"ERR_RUN_BUSY", "operation"},
                                                               {"ERR_PACK_INTERRUPTED", "operation"},
                                                               {"ERR_INTERNAL", "product"}};
  for (const auto& [code, kind] : wanted) EXPECT_EQ(owner_of(code).kind, kind) << code;
  EXPECT_EQ(owner_of("ERR_ACCESS_DENIED").kind, "access");
  EXPECT_EQ(owner_of("ERR_SERVE_BUSY", "busy").kind, "operation");
  EXPECT_EQ(owner_of("ERR_SERVE_BUSY", "unreachable").kind, "machine");
}

TEST(Escalation, KnowsTheKindsThatThePolicyMayName) {
  std::set<std::string_view> kinds;
  for (const Owner& owner : matrix()) kinds.insert(owner.kind);
  EXPECT_EQ(kinds, std::set<std::string_view>(site::problem_kinds().begin(), site::problem_kinds().end()));
}

TEST(Escalation, LeavesOutWhatASecretEndsWith) {
  journal::Event event;
  event.type = "pack.secret.leased";
  event.data = {{"name", "token"}, {"lastFour", "abcd"}};
  event.line = canon::canonical({{"data", event.data}, {"type", event.type}});
  EXPECT_EQ(without_secret_ends(event), R"({"data":{"name":"token"},"type":"pack.secret.leased"})");
  event.data.erase("lastFour");
  EXPECT_EQ(without_secret_ends(event), event.line);
}

}  // namespace
}  // namespace stella::escalation
