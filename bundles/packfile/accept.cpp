// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bundles/canon/fields.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/signing.hpp"

namespace stella::packfile {
namespace {

constexpr auto kCode = fault::Code::pack_signature;

// What one signature is worth; the worst that is still nearest to acceptance explains a refusal.
enum class Standing { unknown, broken, out_of_scope, revoked, good };

struct Judged {
  Standing standing = Standing::unknown;
  const site::Publisher* publisher = nullptr;
};

Judged judge(const dsse::Envelope& envelope, const Opened& pack, const site::Policy& policy) {
  const auto& publishers = policy.publishers;
  if (envelope.signatures.size() != 1) return {Standing::broken, nullptr};
  const dsse::EnvelopeSignature& signature = envelope.signatures.front();
  std::vector<trust::PublicKey> keys;
  for (const site::Publisher& publisher : publishers) keys.push_back(publisher.key);
  const std::optional<std::size_t> signer = dsse::find_signer(envelope, signature, keys);
  if (!signer) {
    // The key id is a hint only: it may say whose signature was broken, never whose is good.
    const auto hinted = std::find_if(publishers.begin(), publishers.end(),
                                     [&](const site::Publisher& p) { return p.key.key_id() == signature.key_id; });
    if (hinted == publishers.end()) return {Standing::unknown, nullptr};
    return {Standing::broken, &*hinted};
  }
  const site::Publisher& publisher = publishers[*signer];
  if (!speaks_of(envelope, pack)) return {Standing::broken, &publisher};
  if (policy.is_revoked(publisher.key)) return {Standing::revoked, &publisher};
  if (!site::matches_any(publisher.packs, pack.name)) return {Standing::out_of_scope, &publisher};
  return {Standing::good, &publisher};
}

[[noreturn]] void refuse(const Judged& judged, const Opened& pack) {
  const std::string who = judged.publisher == nullptr ? "somebody" : canon::printable(judged.publisher->name, 80);
  const std::string what = pack.name_version();
  switch (judged.standing) {
    case Standing::revoked:
      throw fault::Error(kCode, "revoked",
                         fmt::format("{} is signed by {} with a key that the site revoked", what, who), what,
                         "Ask the publisher for a pack that is signed with a current key.");
    case Standing::out_of_scope:
      throw fault::Error(kCode, "scope",
                         fmt::format("{} is signed by {}, whom the site lists for other packs", what, who), what,
                         "A site admin widens `publishers[].packs`, or the right publisher signs the pack.");
    case Standing::broken:
      throw fault::Error(kCode, "signature", fmt::format("a signature of {} by {} does not hold", what, who), what,
                         "Fetch the pack again from its publisher.");
    default:
      throw fault::Error(kCode, "unknown-publisher", fmt::format("{} is signed by nobody whom the site lists", what),
                         what, "A site admin adds the publisher's key under `publishers`, if it is to be trusted.");
  }
}

}  // namespace

Accepted accept(Opened opened, const site::Policy& policy) {
  const std::string what = opened.name_version();
  if (const site::Denied* denied = policy.find_denied(what, opened.digest)) {
    throw fault::Error(kCode, "denied",
                       fmt::format("the site denies {}: {}", what, canon::printable(denied->reason, 200)), what,
                       "Take another version; `stella site show` lists what is denied.");
  }
  if (opened.signatures.empty()) {
    throw fault::Error(kCode, "unsigned", fmt::format("{} is not signed", what), what,
                       "The publisher signs it with `stella pack sign FILE --key KEY`.");
  }
  Accepted accepted{{std::move(opened)}, {}};
  Judged best;
  for (const dsse::Envelope& envelope : accepted.signatures) {
    const Judged judged = judge(envelope, accepted, policy);
    if (judged.standing > best.standing) best = judged;
    if (judged.standing != Standing::good) continue;
    const std::string key_id = judged.publisher->key.key_id();
    const bool counted = std::any_of(accepted.publishers.begin(), accepted.publishers.end(),
                                     [&](const Accepted::Signer& signer) { return signer.key_id == key_id; });
    if (!counted) accepted.publishers.push_back({judged.publisher->name, key_id});
  }
  if (accepted.publishers.empty()) refuse(best, accepted);
  return accepted;
}

}  // namespace stella::packfile
