// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/site_template.hpp"

#include <string_view>

namespace stella::cli {
namespace {

constexpr std::string_view kPolicy = R"yaml(# Site policy: who may do what on this site's appliances.
# Fill it in, then:   stella site check policy.yaml
#                     stella site sign policy.yaml --key admin.key
# and carry policy.dsse.json to each appliance:
#                     stella site apply policy.dsse.json --trust admin.key.pub
# A PUBLIC-KEY is the middle line of a .pub file; `stella key show FILE.pub` prints it too.
# One key stands in one list only.

schema: stella.site.v1
site: SITE-NAME
version: 1                        # raise it with every change; it only ever grows
# validUntil: 2030-12-31T00:00:00Z  # after this time nothing starts until a newer policy is applied
mode: sealed                      # sealed | constrained | connected
homes: any                        # any | service

# Who may change this policy. Two of three is safer than one: a lost key locks nobody out, a stolen one opens nothing.
admins:
  threshold: 1
  keys: [PUBLIC-KEY-OF-ADMIN]

# Each appliance's `stella site identity --out FILE.pub`.
appliances:
  - {id: apl-1, key: PUBLIC-KEY-OF-APPLIANCE}

# Who may publish packs, and which (names or patterns with *; left out: all).
publishers:
  - {name: OT Tools, key: PUBLIC-KEY-OF-PUBLISHER, packs: ["*"]}

# Who signs receipts for evidence.
# auditors: [{name: Lee Park, key: PUBLIC-KEY-OF-AUDITOR}]

# Packs that must not run any more, and keys that count for nothing any more.
# denied:  [{pack: "firmware-rollout:1.3.0", reason: bricks rev B}]
# revoked: [{key: PUBLIC-KEY, since: 2026-11-01T00:00:00Z, reason: left}]

# Who runs packs (by login name) and who approves them. Whoever asked for a run may not approve it.
tenants:
  - name: SITE-NAME
    packs: ["*"]
    # maxRuns: 4                  # how many runs may go on at once; left out: any number
    operators:
      - {name: Ana Ortiz, user: ana}
    approvers:
      - {name: Ada Obi, keys: [PUBLIC-KEY-OF-ADA], scopes: [packs.approve], roles: [safety]}
      - {name: Ben Keller, keys: [PUBLIC-KEY-OF-BEN], scopes: [packs.approve]}

# The hosts that steps may reach, when the pack asks for them too. Addresses, never names: nothing is looked up.
network:
  dns: block                      # block | note: what an unlisted question is
  allow: []
  # - {host: historian.plant.example, address: 10.1.2.3, port: 443, packs: ["*"], reason: read batch plan}
  # - {host: local.plant.example, address: 127.0.0.1, port: 8080, loopback: true, reason: a service of this machine}

approvals:
  defaultExpiry: PT24H            # how long a gate waits when the pack does not say
  allowRequesterToApprove: false
  onAppliance: true               # false: decisions come in files from the approvers' own desks only
  require: []                     # what every pack that matches must ask for, whatever it says itself
  # - {packs: ["firmware-*"], threshold: 2, roles: {safety: 1}}

retention: {runs: P30D}

# The mirror roots to trust: sha256 of metadata/1.root.json, given by the publisher by another way than the medium.
# mirror: {sources: [{name: outside-1, root: "sha256:HEX"}], maxAge: P45D, warnAge: P14D}

# Who is told of runs. In sealed mode messages go into the spool; elsewhere a receiver needs an entry of network.allow:
#   - {host: hooks.slack.example, address: 10.1.2.9, port: 443, for: [stella], reason: notifications}
# A credential is the name of a file in the home's notify/ (mode 0600), never the secret itself.
# notifications:
#   - {topic: "pack.run.*", to: spool}
#   - {topic: "pack.run.*", to: slack, host: hooks.slack.example, path: /services/, credential: slack}
#   - {topic: "pack.gate.*", to: email, host: mail.plant.example, from: stella@plant.example, recipients: [ot@plant.example]}
# chaos: {allow: false}
# offlineKit: {folder: /srv/offline-kit}
)yaml";

}  // namespace

std::string policy_template(const std::string& site) {
  constexpr std::string_view kMark = "SITE-NAME";
  std::string text(kPolicy);
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.replace(at, kMark.size(), site);
  }
  return text;
}

}  // namespace stella::cli
