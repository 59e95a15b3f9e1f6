// SPDX-License-Identifier: Apache-2.0
// The signed policy: verified, stored, loaded again (security.md rule 1).
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/clock_mark.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/pinned.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::site {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxEnvelope = std::uint64_t{2} << 20;

std::string policy_path(const files::Home& home) {
  return home.site() + "/policy.dsse.json";
}

dsse::Envelope parse_envelope(std::string_view text, const std::string& name, Code code) {
  dsse::Envelope envelope = dsse::parse(text, code, name);
  if (envelope.payload_type != dsse::kSiteType) {
    throw Error(code, "payload-type", "this is a signed file, but not a site policy", name,
                "Give the file that `stella site sign` wrote.");
  }
  return envelope;
}

// Call it after signatures were checked. What is believed is the signed bytes, so they must be the only spelling.
Policy parse_signed(const dsse::Envelope& envelope, const std::string& name) {
  Policy policy = parse_policy(envelope.payload, name);
  if (policy.bytes != envelope.payload) {
    throw Error(Code::site_invalid, "canonical", "the signed policy is not in its canonical form", name,
                "Sign the policy with `stella site sign`.");
  }
  return policy;
}

void require_machine_trust(const dsse::Envelope& envelope, const std::optional<MachineTrust>& machine, Code code,
                           const std::string& name) {
  if (machine) require_signed(envelope, machine->rule, std::string("the keys in ") + kMachineTrust, code, name);
}

void require_machine_site(const Policy& policy, const std::optional<MachineTrust>& machine, const std::string& name) {
  if (!machine || machine->site == policy.site) return;
  throw Error(Code::site_signature, "pinned",
              fmt::format("this machine belongs to site {}, the policy is of site {}", machine->site, policy.site),
              name);
}

// With a machine's trust file only its keys are believed, also when others are given.
TrustRule rule_for_first(const TrustRule& given, const std::optional<MachineTrust>& machine, Code code,
                         const std::string& name) {
  if (machine) return machine->rule;
  if (!given.admins.empty()) return given;
  throw Error(code, "trust", "nothing says which site admins to trust", name,
              "Give their public keys, from your own source and not from the medium: --trust ADMIN.pub");
}

// A later policy must not be older, of another site, or the same version with other bytes.
void require_successor(const Policy& next, const Policy& held, const std::string& name) {
  if (next.site != held.site) {
    throw Error(Code::site_invalid, "site",
                fmt::format("this is the policy of site {}, the home belongs to site {}", next.site, held.site), name,
                "Apply it in a home of that site.");
  }
  if (next.version < held.version) {
    throw Error(Code::site_rollback, "version",
                fmt::format("version {} is older than version {}, which is applied", next.version, held.version), name);
  }
  if (next.version == held.version && next.digest != held.digest) {
    throw Error(Code::site_rollback, "equal-version",
                fmt::format("version {} is applied already, with other bytes", next.version), name);
  }
}

void require_home_kind(const Policy& policy, const files::Home& home, const std::string& name) {
  if (policy.homes != Homes::service || is_service_home(home)) return;
  throw Error(Code::home_unsafe, "personal",
              "the policy wants service homes, and this one is personal: its owner is its operator", name,
              "Make it a service's home (docs/operations/service-home.md), or use a policy with `homes: any`.");
}

files::Fd lock_site(const files::Home& home) {
  files::make_folders(home.site());
  files::Fd folder = files::open_folder(home.site());
  while (::flock(folder.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw fault::system_error(errno, "locking the site folder", home.site());
  }
  return folder;
}

void store(const files::Home& home, const Applied& next, const TrustRule& authority,
           const std::optional<Pinned>& before) {
  const Pin pin{next.policy.digest, next.policy.version, authority};
  Pinned both{next.policy.site, {pin}};
  if (before) {
    const auto held = load_applied(home);
    const Pin* old = held ? before->find(held->policy.digest) : nullptr;
    if (old != nullptr && old->digest != pin.digest) both.pins.push_back(*old);
  }
  store_pinned(home, both);
  files::crash_point("site.pinned");
  files::write_atomically(policy_path(home), next.envelope_bytes, 0600);
  files::crash_point("site.applied");
  store_pinned(home, {next.policy.site, {pin}});
}

}  // namespace

std::optional<Applied> load_applied(const files::Home& home) {
  const std::string path = policy_path(home);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOENT) return std::nullopt;
  Applied applied;
  applied.envelope_bytes = files::read_input(path, {.max_bytes = kMaxEnvelope, .links = files::Links::refuse});
  applied.envelope = parse_envelope(applied.envelope_bytes, path, Code::site_signature);
  const std::optional<Pinned> pinned = load_pinned(home);
  const Pin* pin = pinned ? pinned->find(canon::sha256(applied.envelope.payload)) : nullptr;
  if (pin == nullptr) {
    throw Error(Code::site_signature, "pinned", "the applied policy is not the one that this home pinned", path,
                "Apply the signed policy again with `stella site apply FILE --trust ADMIN.pub` in a fresh home.");
  }
  require_signed(applied.envelope, pin->rule, "the admins that this home pinned", Code::site_signature, path);
  const std::optional<MachineTrust> machine = load_machine_trust();
  require_machine_trust(applied.envelope, machine, Code::site_signature, path);
  applied.policy = parse_signed(applied.envelope, path);
  require_machine_site(applied.policy, machine, path);
  require_signed(applied.envelope, own_admins(applied.policy), "its own admins", Code::site_signature, path);
  return applied;
}

void require_valid(const Policy& policy, clock::Time now) {
  if (!policy.valid_until || now <= *policy.valid_until) return;
  throw Error(Code::site_frozen, "valid-until",
              fmt::format("the policy of site {} was valid until {}", policy.site, clock::format(*policy.valid_until)));
}

Applied apply(const files::Home& home, std::string_view envelope_text, const std::string& name, const TrustRule& trust,
              clock::Time now) {
  const files::Fd lock = lock_site(home);
  const std::optional<MachineTrust> machine = load_machine_trust();
  const std::optional<Applied> held = load_applied(home);
  const TrustRule authority =
      held ? own_admins(held->policy) : rule_for_first(trust, machine, Code::site_signature, name);
  Applied next{{}, parse_envelope(envelope_text, name, Code::site_invalid), {}};
  require_machine_trust(next.envelope, machine, Code::site_signature, name);
  require_signed(next.envelope, authority, held ? "the applied policy's admins" : "the admins given with --trust",
                 Code::site_signature, name);
  if (!trust.admins.empty() && !machine)
    require_signed(next.envelope, trust, "the admins given with --trust", Code::site_signature, name);
  next.policy = parse_signed(next.envelope, name);
  require_machine_site(next.policy, machine, name);
  require_signed(next.envelope, own_admins(next.policy), "its own admins", Code::site_signature, name);
  if (held) require_successor(next.policy, held->policy, name);
  require_valid(next.policy, decide_by(home, now));
  require_home_kind(next.policy, home, name);
  next.envelope_bytes = dsse::serialise(next.envelope);
  if (held && held->envelope_bytes == next.envelope_bytes) return next;
  store(home, next, authority, load_pinned(home));
  (void)look_at_home(home);
  (void)observe_clock(home, now);
  return next;
}

Applied verify_policy(std::string_view envelope_text, const std::string& name, const TrustRule& trust, Code untrusted) {
  const std::optional<MachineTrust> machine = load_machine_trust();
  Applied result{{}, parse_envelope(envelope_text, name, untrusted), std::string(envelope_text)};
  require_signed(result.envelope, rule_for_first(trust, machine, untrusted, name), "the trusted site admins", untrusted,
                 name);
  result.policy = parse_signed(result.envelope, name);
  require_machine_site(result.policy, machine, name);
  require_signed(result.envelope, own_admins(result.policy), "its own admins", untrusted, name);
  return result;
}

std::optional<TrustRule> pinned_trust(const files::Home& home) {
  const std::optional<Applied> held = load_applied(home);
  if (!held) return std::nullopt;
  return own_admins(held->policy);
}

}  // namespace stella::site
