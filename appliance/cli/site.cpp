// SPDX-License-Identifier: Apache-2.0
// site identity, apply, show: what an appliance, a desk or an auditor does with a policy.
#include "appliance/cli/site.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "appliance/cli/ledger_mark.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxEnvelope = std::uint64_t{2} << 20;
constexpr std::string_view kEvidenceNameSpace = "stella-evidence";

std::string host_name() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "appliance";
  std::string name(buffer.data());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name.substr(0, name.find('.'));
}

// The old key signs the new one into every ledger: that is its last word (security.md rule 11).
site::Identity renew(Invocation& call) {
  const clock::Time now = call.clock().now();
  site::Renewed renewed = site::renew_identity(call.home(), now);
  const trust::PublicKey& key = renewed.identity.key.public_key();
  mark_ledgers(call.home(), renewed.previous, "identity",
               {{"id", renewed.identity.id}, {"keyid", key.key_id()}, {"publicKey", key.line()}}, now);
  return std::move(renewed.identity);
}

site::Identity wanted_identity(Invocation& call) {
  const auto id = call.value("--id");
  const files::Home& home = call.home();
  if (!site::has_identity(home)) {
    if (call.flag("--renew")) (void)site::load_identity(home);  // says that there is none
    return site::make_identity(home, id.value_or(host_name()), call.clock().now());
  }
  if (call.flag("--renew")) {
    if (id) throw Error(Code::usage, "identity", "--renew keeps the id; --id is for a new identity");
    return renew(call);
  }
  site::Identity identity = site::load_identity(home);
  if (id && *id != identity.id) {
    throw Error(Code::usage, "identity", fmt::format("this home is {} already", identity.id), home.site(),
                "Leave out --id, or use another home for another appliance.");
  }
  return identity;
}

int site_identity(Invocation& call) {
  const site::Identity identity = wanted_identity(call);
  const trust::PublicKey& key = identity.key.public_key();
  if (const auto out = call.value("--out")) files::write_atomically(*out, key.pem(), 0644);
  Output& out = call.out();
  out.say(fmt::format("appliance   {}", identity.id));
  out.say(fmt::format("id          {}", key.key_id()));
  out.say(fmt::format("PUBLIC-KEY  {}", key.line()));
  out.say(fmt::format("for the policy:  appliances: [{{id: {}, key: {}}}]", identity.id, key.line()));
  out.result({{"id", identity.id}, {"keyid", key.key_id()}, {"publicKey", key.line()}});
  return 0;
}

site::TrustRule trust_rule(Invocation& call) {
  site::TrustRule rule;
  for (const std::string& path : call.values("--trust")) {
    const trust::PublicKey key = trust::load_public(path);
    if (std::find(rule.admins.begin(), rule.admins.end(), key) == rule.admins.end()) rule.admins.push_back(key);
  }
  const auto threshold = call.value("--threshold");
  if (!threshold) return rule;
  int number = 0;
  const auto [end, error] = std::from_chars(threshold->data(), threshold->data() + threshold->size(), number);
  const bool whole = error == std::errc() && end == threshold->data() + threshold->size();
  if (!whole || number < 1 || static_cast<std::size_t>(number) > rule.admins.size()) {
    throw Error(Code::usage, "threshold", "--threshold is a number from 1 to the number of --trust keys");
  }
  rule.threshold = number;
  return rule;
}

int site_apply(Invocation& call) {
  const std::string path = call.need("FILE"), name = path == "-" ? "standard input" : path;
  const site::TrustRule rule = trust_rule(call);
  const std::string text = call.read_argument(path, kMaxEnvelope);
  if (text.find("\"payloadType\"") == std::string::npos) {
    throw Error(Code::site_signature, "unsigned", fmt::format("{} is not a signed policy", name), name,
                "Sign it first: stella site sign FILE --key ADMIN.key");
  }
  const std::optional<site::Applied> before = site::load_applied(call.home());
  const site::Applied applied = site::apply(call.home(), text, name, rule, call.clock().now());
  const site::Policy& policy = applied.policy;
  const bool same = before && before->policy.digest == policy.digest;
  call.out().say(
      fmt::format("{}: site {} version {}", same ? "already applied" : "applied", policy.site, policy.version));
  call.out().say(fmt::format("digest {}", policy.digest.tagged()));
  call.out().result(
      {{"site", policy.site}, {"version", policy.version}, {"digest", policy.digest.tagged()}, {"changed", !same}});
  return 0;
}

site::Applied need_applied(Invocation& call) {
  std::optional<site::Applied> applied = site::load_applied(call.home());
  if (applied) return std::move(*applied);
  throw Error(Code::file_not_found, "policy", "no site policy is applied in this home", call.home().site(),
              "stella site apply POLICY.dsse.json --trust ADMIN.pub");
}

std::string mode_name(site::Mode mode) {
  return mode == site::Mode::sealed ? "sealed" : mode == site::Mode::constrained ? "constrained" : "connected";
}

template <class List, class Name>
std::string joined(const List& list, Name name) {
  std::vector<std::string> names;
  for (const auto& each : list) names.push_back(canon::printable(name(each), 100));
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void say_policy(Output& out, const site::Policy& policy, int signatures) {
  out.say(fmt::format("site        {} version {}, {}", policy.site, policy.version, mode_name(policy.mode)));
  out.say(fmt::format("digest      {}", policy.digest.tagged()));
  if (policy.valid_until) out.say(fmt::format("valid until {}", clock::format(*policy.valid_until)));
  out.say(fmt::format("admins      {} of {} must sign; {} did", policy.admins.threshold, policy.admins.keys.size(),
                      signatures));
  out.say(fmt::format("appliances  {}", joined(policy.appliances, [](const auto& each) { return each.id; })));
  out.say(fmt::format("publishers  {}", joined(policy.publishers, [](const auto& each) { return each.name; })));
  out.say(fmt::format("auditors    {}", joined(policy.auditors, [](const auto& each) { return each.name; })));
  for (const site::Tenant& tenant : policy.tenants) {
    out.say(fmt::format("tenant      {}", tenant.name));
    out.say(fmt::format("  operators {}",
                        joined(tenant.operators, [](const auto& each) { return each.name + " (" + each.user + ")"; })));
    out.say(fmt::format("  approvers {}", joined(tenant.approvers, [](const auto& each) { return each.name; })));
  }
  for (const site::AllowEntry& entry : policy.allow) {
    out.say(fmt::format("network     {} = {} port {}", entry.host, fmt::join(entry.addresses, ", "), entry.port));
  }
  out.say(fmt::format("denied      {}", joined(policy.denied, [](const auto& each) { return each.pack; })));
  out.say(fmt::format("revoked     {}",
                      joined(policy.revoked, [](const auto& each) { return each.key.key_id().substr(0, 16); })));
}

// A revoked appliance's key is left out: what it still proves, `evidence verify` decides and ssh-keygen cannot.
int show_allowed_signers(Invocation& call, const site::Policy& policy) {
  canon::Json lines = canon::Json::array();
  for (const site::Appliance& appliance : policy.appliances) {
    if (!policy.is_revoked(appliance.key)) lines.push_back(appliance.key.ssh_line(appliance.id, kEvidenceNameSpace));
  }
  for (const canon::Json& line : lines) call.out().say(line.get_ref<const std::string&>());
  call.out().result({{"allowedSigners", lines}});
  return 0;
}

int site_show(Invocation& call) {
  const site::Applied applied = need_applied(call);
  const site::Policy& policy = applied.policy;
  if (call.flag("--allowed-signers")) return show_allowed_signers(call, policy);
  const int signatures = site::count_signatures(applied.envelope, policy.admins.keys);
  say_policy(call.out(), policy, signatures);
  call.out().result({{"site", policy.site},
                     {"version", policy.version},
                     {"digest", policy.digest.tagged()},
                     {"signatures", signatures},
                     {"policy", canon::parse_json(policy.bytes, Code::internal, "policy")}});
  return 0;
}

}  // namespace

std::vector<Command> site_appliance_commands() {
  return {
      {{"site", "identity"},
       "make this appliance's key once, or show it",
       "stella site identity --id apl-hall3 --out apl-hall3.pub",
       {},
       {{"--id", "NAME", "the appliance's name (the host's name)"},
        {"--out", "FILE.pub", "write the public half there"},
        {"--renew", "", "make the next key of the same appliance"}},
       site_identity},
      {{"site", "apply"},
       "take a signed policy into this home",
       "stella site apply policy.dsse.json --trust admin.key.pub",
       {{"FILE", "the signed policy", true, false}},
       {{"--trust", "K.pub", "an admin's public key, from your own source; needed the first time", false, true},
        {"--threshold", "N", "how many of the --trust keys must have signed (1 for one key, else 2)"}},
       site_apply},
      {{"site", "show"},
       "show the applied policy",
       "stella site show --allowed-signers",
       {},
       {{"--allowed-signers", "", "the appliances' keys for ssh-keygen -Y verify"}},
       site_show},
  };
}

std::vector<Command> site_commands() {
  std::vector<Command> all = site_appliance_commands();
  std::vector<Command> office = site_office_commands();
  for (Command& row : site_clock_commands()) all.push_back(std::move(row));
  all.insert(all.begin(), std::make_move_iterator(office.begin()), std::make_move_iterator(office.end()));
  return all;
}

}  // namespace stella::cli
