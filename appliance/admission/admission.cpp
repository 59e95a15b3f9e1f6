// SPDX-License-Identifier: Apache-2.0
#include "appliance/admission/admission.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/admission/cache.hpp"
#include "appliance/image/image.hpp"
#include "bundles/canon/fields.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/catalog/export.hpp"

namespace stella::admission {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxText = std::uint64_t{1} << 20;  // bytes of pack.yaml, and of a schema

packfile::Opened open_wanted(Cache& cache, const files::Home& home, const Wanted& wanted, const std::string& tenant) {
  if (wanted.pack.has_value() == wanted.bundle.has_value())
    throw Error(Code::usage, "pack", "give one of --pack NAME:VERSION and --bundle FILE", "--pack");
  if (wanted.bundle) return cache.open(*wanted.bundle);
  const std::string exported = cache.scratch() + "/exported.pack";
  (void)catalog::export_pack(home, *wanted.pack, tenant, exported);
  return cache.open(exported);
}

pack::Manifest manifest_of(const packfile::Opened& opened) {
  pack::Manifest manifest = pack::parse_manifest(packfile::read_file(opened, "pack.yaml", kMaxText), "pack.yaml");
  if (manifest.name != opened.name || manifest.version != opened.version)
    throw Error(Code::pack_invalid, "name",
                fmt::format("pack.yaml says {}, the pack itself {}", manifest.name_version(),
                            canon::printable(opened.name_version())),
                "pack.yaml", "Have the publisher build it again with `stella pack build`.");
  pack::require_none(pack::check_files(manifest, reader_of(opened)));
  return manifest;
}

void require_tenant(const packfile::Opened& opened, const site::Policy& policy, const std::string& tenant) {
  const site::Tenant* found = policy.find_tenant(tenant);
  if (found == nullptr || site::matches_any(found->packs, opened.name)) return;
  throw Error(Code::pack_signature, "scope", fmt::format("the site does not give {} to tenant {}", opened.name, tenant),
              opened.name_version(),
              "Use a tenant that may run it, or have a site admin add it to the tenant's packs.");
}

void require_visible(const pack::Manifest& manifest, const std::string& tenant) {
  const auto& list = manifest.tenant_visibility;
  if (list.empty() || std::ranges::find(list, tenant) != list.end()) return;
  throw Error(Code::pack_signature, "scope",
              fmt::format("{} is not meant for tenant {}: see its tenantVisibility", manifest.name_version(), tenant),
              "pack.yaml", "Use a tenant that the pack names.");
}

// Whoever signed it: a name and version mean one content for ever.
void require_unchanged(const files::Home& home, const packfile::Opened& opened) {
  try {
    catalog::Catalog::open(home).note_seen(opened.name_version(), opened.digest);
  } catch (const Error& error) {
    if (error.code() != Code::mirror_digest || error.reason() != "changed") throw;
    throw Error(Code::pack_signature, "digest", error.what(), opened.name_version(),
                "Ask the publisher for a new version; a name and version are never used for other content.");
  }
}

}  // namespace

Admitted admit(const files::Home& home, const Wanted& wanted, const site::Policy* policy, const std::string& tenant) {
  Cache cache(home);
  packfile::Opened opened = open_wanted(cache, home, wanted, tenant);
  if (policy == nullptr)
    throw Error(Code::pack_signature, "unknown-publisher",
                fmt::format("no site policy is applied here, so nobody is trusted to have made {}",
                            canon::printable(opened.name_version())),
                opened.name_version(), "Apply the signed policy with `stella site apply FILE --trust ADMIN.pub`.");
  packfile::Accepted accepted = packfile::accept(std::move(opened), *policy);
  require_tenant(accepted, *policy, tenant);
  require_unchanged(home, accepted);
  pack::Manifest manifest = manifest_of(accepted);
  require_visible(manifest, tenant);
  if (manifest.runtime) image::require_present(*manifest.runtime, accepted, home);
  cache.keep(accepted);  // last: a refused pack leaves nothing in the home
  return {std::move(accepted), std::move(manifest)};
}

Looked look(const files::Home& home, const Wanted& wanted) {
  Cache cache(home);
  packfile::Opened opened = open_wanted(cache, home, wanted, "default");
  pack::Manifest manifest = manifest_of(opened);
  if (manifest.runtime)
    pack::require_none(image::check_layouts(*manifest.runtime, image::layouts_in_pack(opened, manifest.runtime->name)));
  cache.keep(opened);
  return {std::move(opened), std::move(manifest)};
}

pack::FileReader reader_of(const packfile::Opened& pack) {
  return [&pack](const std::string& path) -> std::optional<std::string> {
    const auto found = std::ranges::find(pack.files, path, &packfile::FileEntry::path);
    if (found == pack.files.end()) return std::nullopt;
    return packfile::read_file(pack, path, kMaxText);
  };
}

}  // namespace stella::admission
