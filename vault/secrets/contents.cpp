// SPDX-License-Identifier: Apache-2.0
#include "vault/secrets/contents.hpp"

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/canon/json.hpp"

namespace stella::secrets {
namespace {

using canon::Fields;
using canon::Json;
using fault::Code;

constexpr std::size_t kPadding = 1024;
constexpr std::int64_t kMaxVersion = std::int64_t{1} << 40;
const std::string kAt = "vault contents";

Json to_json(const Version& version) {
  Json object{{"number", version.number},
              {"object", version.object},
              {"digest", version.digest.tagged()},
              {"created", clock::format_millis(version.created)},
              {"short", version.is_short}};
  if (version.last_four) object["lastFour"] = *version.last_four;
  return object;
}

Json to_json(const Secret& secret) {
  Json versions = Json::array();
  for (const auto& version : secret.versions) versions.push_back(to_json(version));
  return {{"tenant", secret.tenant}, {"name", secret.name}, {"scope", secret.scope},
          {"term", secret.term},     {"last", secret.last}, {"versions", std::move(versions)}};
}

Version version_from(const Json& object) {
  Fields fields(object, Code::vault_tampered, "contents", kAt);
  Version version{.number = fields.integer("number", 1, kMaxVersion),
                  .object = fields.text("object"),
                  .digest = canon::parse_digest(fields.text("digest"), Code::vault_tampered, kAt),
                  .created = clock::parse_time(fields.text("created"), Code::vault_tampered, kAt),
                  .last_four = fields.maybe_text("lastFour"),
                  .is_short = fields.boolean("short")};
  fields.finish();
  return version;
}

Secret secret_from(const Json& object) {
  Fields fields(object, Code::vault_tampered, "contents", kAt);
  Secret secret{.tenant = fields.text("tenant"),
                .name = fields.text("name"),
                .scope = fields.text("scope"),
                .term = fields.integer("term", 1, kMaxVersion),
                .last = fields.integer("last", 0, kMaxVersion),
                .versions = {}};
  for (const auto& version : fields.array("versions")) secret.versions.push_back(version_from(version));
  fields.finish();
  return secret;
}

}  // namespace

Secret* Contents::find(std::string_view tenant, std::string_view name) {
  const auto found = std::ranges::find_if(
      secrets, [&](const Secret& secret) { return secret.tenant == tenant && secret.name == name; });
  return found == secrets.end() ? nullptr : &*found;
}

ObjectDigests Contents::digests() const {
  ObjectDigests result;
  for (const auto& secret : secrets)
    for (const auto& version : secret.versions) result.emplace(version.object, version.digest);
  return result;
}

locked::Bytes write_contents(const Contents& contents) {
  Json secrets = Json::array();
  for (const auto& secret : contents.secrets) secrets.push_back(to_json(secret));
  auto text = canon::canonical({{"secrets", std::move(secrets)}});
  text.resize((text.size() / kPadding + 1) * kPadding, ' ');
  return locked::Bytes::copy_of(text);
}

Contents read_contents(const locked::Bytes& bytes) {
  auto text = bytes.view();
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const auto object = canon::parse_json(text, Code::vault_tampered, kAt);
  Fields fields(object, Code::vault_tampered, "contents", kAt);
  Contents contents;
  for (const auto& secret : fields.array("secrets")) contents.secrets.push_back(secret_from(secret));
  fields.finish();
  return contents;
}

canon::Digest merkle_root(const ObjectDigests& digests) {
  std::vector<canon::Digest> leaves;
  leaves.reserve(digests.size());
  for (const auto& [id, digest] : digests) leaves.push_back(canon::merkle_leaf(id + ":" + digest.hex()));
  return canon::merkle_root(leaves);
}

}  // namespace stella::secrets
