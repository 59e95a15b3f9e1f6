// SPDX-License-Identifier: Apache-2.0
#include "appliance/escalation/matrix.hpp"

#include <algorithm>
#include <array>

#include "bundles/fault/error.hpp"

namespace stella::escalation {
namespace {

constexpr Owner kOperation{"operation", "nothing is wrong by itself: somebody has to decide, wait or resume",
                           "operators of the tenant", "site office", "what you want to know"};
constexpr Owner kPack{"pack", "the pack or one of its steps does not do what it should", "pack maintainers",
                      "stella maintainers",
                      "the .pack file, what `stella pack validate --bundle` says, the step's log"};
constexpr Owner kApprovals{"approvals", "a gate was not opened: nobody decided in time, or somebody may not",
                           "approvers of the tenant", "site office",
                           "the request and response files; the policy's approvers, scopes and roles"};
constexpr Owner kSecrets{"secrets", "a secret is missing, or the vault does not give it", "vault custodians",
                         "site office", "name and scope of the secret; never its value"};
constexpr Owner kNetwork{"network", "something wanted to leave that the site does not allow", "site office",
                         "pack maintainers", "the blocked attempts, each with the policy line that would allow it"};
constexpr Owner kRegistry{"registry", "the registry, its feed or a medium is not usable", "keepers of the mirror",
                          "site office", "`stella pack mirror status`, the newest record in mirror/quarantine/"};
constexpr Owner kMachine{"machine", "the appliance itself lacks something", "administrators of the appliance",
                         "stella maintainers", "what `stella doctor` says"};
constexpr Owner kIntegrity{"integrity", "something is not what was signed or recorded", "security team", "site office",
                           "the home as it is: change nothing; exported bags, checked with their own signatures"};
constexpr Owner kAccess{"access", "somebody may not do what they tried", "site office",
                        "administrators of the appliance",
                        "the user's name, the command, what the policy lists them for"};
constexpr Owner kProduct{"product", "stella itself did not do what it should", "stella maintainers",
                         "administrators of the appliance", "the exact command line and `stella version`"};
constexpr std::array kMatrix = {kPack,    kApprovals, kSecrets, kNetwork,   kRegistry,
                                kMachine, kIntegrity, kAccess,  kOperation, kProduct};

struct Family {
  std::string_view prefix;
  const Owner* owner;
};
// The first that fits; what is of exit 6 is a matter of integrity before any of them.
constexpr std::array kFamilies = {Family{"ERR_PACK_APPROVAL_", &kApprovals},
                                  Family{"ERR_APPROVAL_", &kApprovals},
                                  Family{"ERR_PACK_SECRET_", &kSecrets},
                                  Family{"ERR_VAULT_BUSY", &kOperation},
                                  Family{"ERR_VAULT_", &kSecrets},
                                  Family{"ERR_PACK_NETWORK_", &kNetwork},
                                  Family{"ERR_PACK_SEALED_", &kNetwork},
                                  Family{"ERR_SEALED_", &kNetwork},
                                  Family{"AIRGAP_", &kNetwork},
                                  Family{"ERR_MIRROR_BUSY", &kOperation},
                                  Family{"ERR_MIRROR_", &kRegistry},
                                  Family{"ERR_MEDIA_", &kRegistry},
                                  Family{"ERR_PACK_NOT_FOUND", &kRegistry},
                                  Family{"ERR_PACK_CHAOS_", &kOperation},
                                  Family{"ERR_PACK_INTERRUPTED", &kOperation},
                                  Family{"ERR_RUN_", &kOperation},
                                  Family{"ERR_PACK_", &kPack},
                                  Family{"ERR_SITE_", &kNetwork},
                                  Family{"ERR_ACCESS_DENIED", &kAccess},
                                  Family{"ERR_SERVE_BUSY", &kOperation},
                                  Family{"ERR_INTERNAL", &kProduct},
                                  Family{"ERR_USAGE", &kProduct}};

}  // namespace

std::span<const Owner> matrix() {
  return kMatrix;
}

const Owner& owner_of(std::string_view code, std::string_view reason) {
  if (code.empty()) return kOperation;
  // A service that is not there comes back by nobody's waiting; one that is busy does.
  if (code == "ERR_SERVE_BUSY" && reason == "unreachable") return kMachine;
  const fault::CodeInfo* info = fault::find_code(code);
  if (info == nullptr) return kProduct;
  if (info->exit_status == 6) return kIntegrity;
  const auto family =
      std::find_if(kFamilies.begin(), kFamilies.end(), [&](const Family& one) { return code.starts_with(one.prefix); });
  if (family != kFamilies.end()) return *family->owner;
  return info->exit_status == 5 ? kNetwork : kMachine;
}

}  // namespace stella::escalation
