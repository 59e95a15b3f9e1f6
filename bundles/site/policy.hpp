// SPDX-License-Identifier: Apache-2.0
// The site policy, contract section 8: what it says (`Policy`), and the signed one that a home applied (`Applied`).
// A Policy is only a reading; an Applied was verified by the rules of security.md 1. Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/files/home.hpp"
#include "bundles/trust/key.hpp"

namespace stella::site {

enum class Mode { sealed, constrained, connected };
enum class Homes { any, service };

struct Admins {
  int threshold = 1;
  std::vector<trust::PublicKey> keys;
};
struct Appliance {
  std::string id;
  trust::PublicKey key;
};
struct Person {
  std::string name;
  trust::PublicKey key;
};  // an auditor
struct Publisher {
  std::string name;
  trust::PublicKey key;
  std::vector<std::string> packs;
};  // empty packs: all
struct Denied {
  std::string pack;
  std::string reason;
};  // NAME:VERSION or sha256:HEX
struct Revoked {
  trust::PublicKey key;
  clock::Time since;
  std::string reason;
};
struct Operator {
  std::string name, user;
};
struct ApproverKey {
  trust::PublicKey key;
  bool unprotected = false;
};
struct Approver {
  std::string name;
  std::vector<ApproverKey> keys;
  std::vector<std::string> scopes, roles;
};
struct Tenant {
  std::string name;
  std::vector<std::string> packs;
  std::vector<Operator> operators;
  std::vector<Approver> approvers;
  std::optional<int> max_runs = {};  // how many of its runs may have a runner at once; nullopt: any number
};
struct AllowEntry {
  std::string host;
  std::vector<std::string> addresses;
  int port = 0;
  std::vector<std::string> packs;
  std::string reason;
  bool loopback = false;
  bool for_stella = false;
};
struct Requirement {
  std::vector<std::string> packs;
  int threshold = 1;
  std::map<std::string, int> roles;
};
// Who is told what. `to`: spool | slack | email | pagerduty | webhook; all but spool name a host of an allow entry that is
// marked `for: [stella]`.
struct Notification {
  std::string topic;  // a pattern of event types: pack.run.*
  std::string to = "spool";
  std::string host, path = "/";
  int port = 0;  // 0: the usual one of `to`
  bool tls = true;
  std::string from;                     // email
  std::vector<std::string> recipients;  // email
  std::string credential;               // the name of a file beneath the home's notify/, never the value
  std::vector<std::string> tenants, packs;  // empty: all
};
struct MirrorSource {
  std::string name;
  canon::Digest root;
};

struct Policy {
  std::string site;
  std::int64_t version = 0;
  std::optional<clock::Time> valid_until;
  Mode mode = Mode::sealed;
  Homes homes = Homes::any;
  Admins admins;
  std::vector<Appliance> appliances;
  std::vector<Person> auditors;
  std::vector<Publisher> publishers;
  std::vector<Denied> denied;
  std::vector<Revoked> revoked;
  std::vector<Tenant> tenants;
  bool dns_block = true;
  std::vector<AllowEntry> allow;
  clock::Duration default_expiry = std::chrono::hours(24);
  bool allow_requester_to_approve = false;
  bool on_appliance = true;
  std::vector<Requirement> require;
  clock::Duration retention = std::chrono::hours(24 * 30);  // of a whole run, from its end
  std::optional<clock::Duration> artifact_retention;        // of what is large in it, never longer; nothing: as the run
  std::vector<MirrorSource> mirror_sources;
  bool mirror_sources_listed = false;
  clock::Duration mirror_max_age = std::chrono::hours(24 * 45), mirror_warn_age = std::chrono::hours(24 * 14);
  std::vector<Notification> notifications;
  bool chaos_allowed = false;
  std::optional<std::string> offline_kit;  // an absolute folder
  std::string bytes;     // the RFC 8785 bytes that are signed
  canon::Digest digest;  // of `bytes`

  [[nodiscard]] const Tenant* find_tenant(const std::string& name) const;
  [[nodiscard]] bool is_revoked(const trust::PublicKey& key) const;
  [[nodiscard]] const Denied* find_denied(const std::string& name_version, const canon::Digest& digest) const;
};

// A shell-like pattern with `*` only, anchored.
[[nodiscard]] bool matches(const std::string& pattern, const std::string& name);
[[nodiscard]] bool matches_any(const std::vector<std::string>& patterns, const std::string& name);  // empty: all

struct Problem {
  std::string at, what, reason;
};
// Every problem of a policy text (YAML or JSON by name) that parses; empty: it is good. Syntax errors throw.
[[nodiscard]] std::vector<Problem> check(std::string_view text, const std::string& name);
// The same with what is allowed but unwise (`admins.threshold: 1`).
struct Checked {
  std::vector<Problem> problems, warnings;
};
[[nodiscard]] Checked check_policy(std::string_view text, const std::string& name);
// Throws ERR_SITE_INVALID for the first problem. Takes YAML, or canonical JSON (a verified payload).
[[nodiscard]] Policy parse_policy(std::string_view text, const std::string& name);

// Which admins' keys signed: raw keys counted once. The envelope's type must be kSiteType.
[[nodiscard]] int count_signatures(const dsse::Envelope& envelope, const std::vector<trust::PublicKey>& keys);

struct Applied {
  Policy policy;
  dsse::Envelope envelope;
  std::string envelope_bytes;  // as stored
};
// The policy this home applied, verified again under its own admins and those that were pinned when it was applied
// (site/pinned.json), and under /etc/stella/trust.json where that exists; nullopt when there is none.
// ERR_SITE_SIGNATURE.
[[nodiscard]] std::optional<Applied> load_applied(const files::Home& home);
// ERR_SITE_FROZEN when valid_until has passed.
void require_valid(const Policy& policy, clock::Time now);

// threshold left out: 1 for one key, else 2.
struct TrustRule {
  std::vector<trust::PublicKey> admins;
  std::optional<int> threshold;
};
// Verifies and stores; `trust` is needed the first time, later the applied policy's admins decide (and `trust` too
// where it is given). Signatures are checked before the policy is parsed. The same bytes again change nothing but may
// bring more signatures. Errors: ERR_SITE_SIGNATURE (reasons envelope, payload-type, trust, threshold, pinned),
// ERR_SITE_ROLLBACK (version, equal-version), ERR_SITE_INVALID (site and those of parse_policy), ERR_SITE_FROZEN,
// ERR_HOME_UNSAFE (personal: the policy wants service homes), ERR_CLOCK_ROLLBACK.
Applied apply(const files::Home& home, std::string_view envelope_text, const std::string& name, const TrustRule& trust,
              clock::Time now);
// Verifies an envelope that came with a request or bag under trusted admin keys; never stored. Throws `untrusted`,
// reason `trust` when no keys are given, `threshold` when too few of them signed.
[[nodiscard]] Applied verify_policy(std::string_view envelope_text, const std::string& name, const TrustRule& trust,
                                    fault::Code untrusted);
// The keys pinned in this home, for verbs whose --trust was left out; nullopt when nothing was applied.
[[nodiscard]] std::optional<TrustRule> pinned_trust(const files::Home& home);

// The appliance's identity of this home (contract section 1): site/identity.key (PKCS#8, 0600, no passphrase, because
// requests, receipts and evidence are signed unattended) and site/identity.json. Made by identity.hpp.
struct Identity {
  std::string id;
  trust::PrivateKey key;
};
// ERR_KEY_UNUSABLE: reason `identity` when there is none; `mode`, `format` as trust::load_key.
[[nodiscard]] Identity load_identity(const files::Home& home);
// Who sits here, security.md rule 7: the operators entry of the tenant whose user is the login uid, else the real uid;
// `unlisted:USER` when none is. Never an environment variable.
[[nodiscard]] std::string operator_name(const Tenant* tenant);

}  // namespace stella::site
