// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/pinned.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::site {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 20;
constexpr auto kCode = Code::site_signature;

std::string pinned_path(const files::Home& home) {
  return home.site() + "/pinned.json";
}

TrustRule read_rule(canon::Fields& fields, const std::string& at) {
  TrustRule rule;
  rule.threshold = static_cast<int>(fields.integer("threshold", 1, 64));
  for (const std::string& line : fields.texts("keys")) rule.admins.push_back(trust::parse_public_line(line, kCode, at));
  if (static_cast<std::size_t>(*rule.threshold) > rule.admins.size())
    fields.fail("threshold is above the number of keys", "threshold");
  return rule;
}

canon::Json rule_keys(const TrustRule& rule) {
  canon::Json keys = canon::Json::array();
  for (const trust::PublicKey& key : rule.admins) keys.push_back(key.line());
  return keys;
}

}  // namespace

const Pin* Pinned::find(const canon::Digest& digest) const {
  const auto found = std::find_if(pins.begin(), pins.end(), [&](const Pin& pin) { return pin.digest == digest; });
  return found == pins.end() ? nullptr : &*found;
}

std::optional<Pinned> load_pinned(const files::Home& home) {
  const std::string path = pinned_path(home);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOENT) return std::nullopt;
  const canon::Json object =
      canon::parse_json(files::read_input(path, {.max_bytes = kMaxFile, .links = files::Links::refuse}), kCode, path);
  canon::Fields fields(object, kCode, "pinned", path);
  (void)fields.choice("schema", {"stella.pinned.v1"});
  Pinned pinned{fields.text("site", 64), {}};
  for (const canon::Json& item : fields.array("pins", 2)) {
    canon::Fields entry(item, kCode, "pinned", path);
    Pin pin;
    pin.digest = canon::parse_digest(entry.text("digest", 80), kCode, path);
    pin.version = entry.integer("version", 1, std::int64_t{1} << 53);
    pin.rule = read_rule(entry, path);
    entry.finish();
    pinned.pins.push_back(std::move(pin));
  }
  fields.finish();
  return pinned;
}

void store_pinned(const files::Home& home, const Pinned& pinned) {
  canon::Json pins = canon::Json::array();
  for (const Pin& pin : pinned.pins) {
    pins.push_back({{"digest", pin.digest.tagged()},
                    {"version", pin.version},
                    {"threshold", threshold_of(pin.rule)},
                    {"keys", rule_keys(pin.rule)}});
  }
  files::write_atomically(
      pinned_path(home),
      canon::pretty({{"schema", "stella.pinned.v1"}, {"site", pinned.site}, {"pins", std::move(pins)}}), 0600);
}

std::optional<MachineTrust> load_machine_trust(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw fault::system_error(errno, "looking at the machine's trust", path);  // fails closed
  }
  const files::Fd file = files::open_input(path, {.max_bytes = kMaxFile, .links = files::Links::refuse});
  if (::fstat(file.get(), &info) != 0) throw fault::system_error(errno, "looking at the machine's trust", path);
  if (info.st_uid != 0 || (info.st_mode & 022) != 0) {
    throw Error(kCode, "pinned", fmt::format("{} must belong to root and be writable by nobody else", path), path);
  }
  const canon::Json object = canon::parse_json(files::read_stream(file.get(), kMaxFile, path), kCode, path);
  canon::Fields fields(object, kCode, "pinned", path);
  MachineTrust trust{fields.text("site", 64), read_rule(fields, path)};
  fields.finish();
  return trust;
}

int threshold_of(const TrustRule& rule) {
  return rule.threshold.value_or(rule.admins.size() == 1 ? 1 : 2);
}

int count_signatures(const dsse::Envelope& envelope, const std::vector<trust::PublicKey>& keys) {
  std::set<trust::PublicKey> signers;
  if (envelope.payload_type != dsse::kSiteType) return 0;
  for (const dsse::EnvelopeSignature& signature : envelope.signatures) {
    if (const auto found = dsse::find_signer(envelope, signature, keys)) signers.insert(keys[*found]);
  }
  return static_cast<int>(signers.size());
}

void require_signed(const dsse::Envelope& envelope, const TrustRule& rule, const std::string& whose, Code untrusted,
                    const std::string& at) {
  const int have = count_signatures(envelope, rule.admins), need = std::max(1, threshold_of(rule));
  if (have >= need) return;
  throw Error(untrusted, "threshold", fmt::format("{} of {} signatures by {}", have, need, whose), at,
              "Have the missing site admins run `stella site sign` on the file, or give the right keys with --trust.");
}

TrustRule own_admins(const Policy& policy) {
  TrustRule rule{{}, policy.admins.threshold};
  for (const trust::PublicKey& key : policy.admins.keys) {
    if (!policy.is_revoked(key)) rule.admins.push_back(key);
  }
  return rule;
}

}  // namespace stella::site
