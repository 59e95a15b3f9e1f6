// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/trust_root.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::intake {
namespace {

using fault::Code;
constexpr const char* kSchema = "stella.mirror-trust.v1";

std::string folder_of(const files::Home& home) {
  return home.mirror() + "/trust";
}
std::string root_path(const files::Home& home, std::int64_t version) {
  return fmt::format("{}/{}.root.json", folder_of(home), version);
}
bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string read_root(const std::string& path) {
  return files::read_input(path, {.max_bytes = metadata::kMaxRoot, .links = files::Links::refuse});
}

struct Pin {
  std::string source;
  canon::Digest digest;
  std::int64_t version = 0;
};

Pin load_pin(const files::Home& home) {
  const std::string path = folder_of(home) + "/pinned.json";
  if (!exists(path)) {
    throw fault::Error(
        Code::mirror_untrusted, "no-root", "no mirror root is trusted in this home", path,
        "Compare the digest of the publisher's 1.root.json with the publisher, then `stella mirror trust ROOT.json`.");
  }
  const std::string text = files::read_input(path, {.max_bytes = 65536, .links = files::Links::refuse});
  const canon::Json object = canon::parse_json(text, Code::mirror_untrusted, path);
  canon::Fields fields(object, Code::mirror_untrusted, "no-root", path);
  (void)fields.choice("schema", {kSchema});
  Pin pin;
  pin.source = fields.text("source", 64);
  pin.digest = canon::parse_digest(fields.text("root", 71), Code::mirror_untrusted, path);
  pin.version = fields.integer("version", 1, 1 << 30);
  fields.finish();
  return pin;
}

Listing require_listed(const site::Policy* policy, const std::string& source, const canon::Digest& digest) {
  if (policy == nullptr || !policy->mirror_sources_listed) return Listing::by_nobody;
  const bool listed = std::ranges::any_of(policy->mirror_sources, [&](const site::MirrorSource& item) {
    return item.name == source && item.root == digest;
  });
  if (listed) return Listing::by_policy;
  throw fault::Error(Code::mirror_untrusted, "unlisted",
                     fmt::format("root {} of mirror {} is not one that the site policy lists", digest.tagged(), source),
                     source, "Compare the root with the publisher and have a site admin put it under mirror.sources.");
}

}  // namespace

Candidate inspect_root(std::string text, const std::string& at, const site::Policy* policy) {
  Candidate candidate;
  candidate.digest = canon::sha256(text);
  candidate.root = metadata::parse_pinned_root(text, at);
  candidate.text = std::move(text);
  candidate.listing = require_listed(policy, candidate.source(), candidate.digest);
  return candidate;
}

Pinned pin(const files::Home& home, const Candidate& candidate) {
  files::make_folders(folder_of(home));
  if (has_trust(home)) {
    if (load_pin(home).digest == candidate.digest) return Pinned::already;
    throw fault::Error(Code::mirror_untrusted, "pinned",
                       fmt::format("this home already trusts another root, of mirror {}", load_pin(home).source),
                       candidate.source(),
                       "A home follows one mirror. New roots of the same mirror come with its bundles; for another "
                       "mirror use another home.");
  }
  const std::int64_t version = candidate.root.root.header.version;
  files::write_atomically(root_path(home, version), candidate.text, 0644);
  const canon::Json object = {
      {"schema", kSchema}, {"source", candidate.source()}, {"root", candidate.digest.tagged()}, {"version", version}};
  files::write_atomically(folder_of(home) + "/pinned.json", canon::pretty(object), 0644);
  return Pinned::now;
}

bool has_trust(const files::Home& home) {
  return exists(folder_of(home) + "/pinned.json");
}

Trust load_trust(const files::Home& home, const site::Policy* policy) {
  const Pin pinned = load_pin(home);
  const std::string first = root_path(home, pinned.version);
  std::string text = read_root(first);
  if (canon::sha256(text) != pinned.digest) {
    throw fault::Error(Code::mirror_untrusted, "no-root", "the pinned root was altered", first,
                       "Find out who wrote to the file, then restore it from the publisher's 1.root.json.");
  }
  require_listed(policy, pinned.source, pinned.digest);
  Trust trust{
      .root = metadata::parse_pinned_root(std::move(text), first), .source = pinned.source, .pinned = pinned.digest};
  for (std::int64_t version = pinned.version + 1; exists(root_path(home, version)); ++version) {
    metadata::extend(trust.root, read_root(root_path(home, version)), root_path(home, version));
  }
  return trust;
}

void store_roots(const files::Home& home, const metadata::TrustedRoot& root) {
  for (const auto& [version, text] : root.texts) {
    const std::string path = root_path(home, version);
    if (!exists(path)) files::write_atomically(path, text, 0644);
  }
}

}  // namespace stella::intake
