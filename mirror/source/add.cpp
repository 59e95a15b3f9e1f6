// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/yaml/document.hpp"
#include "mirror/catalog/manifest.hpp"
#include "mirror/metadata/role.hpp"
#include "mirror/source/source.hpp"

namespace stella::source {
namespace {

using fault::Code;
constexpr std::uint64_t kMaxManifest = std::uint64_t{1} << 20;

// A folder for one opened pack, gone when it is done.
struct Incoming {
  std::string path;
  ~Incoming() {
    try {
      files::remove_tree(path);
    } catch (const fault::Error&) {  // left for the next run to clear; it holds copies only
    }
  }
};

// Who may see the pack, as its own manifest says; pack.yaml is read in full by the runner.
std::vector<std::string> read_tenants(const packfile::Opened& opened) {
  const std::string name = opened.name_version() + "/pack.yaml";
  const yaml::Document document =
      yaml::parse(packfile::read_file(opened, "pack.yaml", kMaxManifest), name, Code::pack_invalid);
  const canon::Json::json_pointer where("/metadata/tenantVisibility");
  std::vector<std::string> tenants;
  if (!document.value.contains(where)) return tenants;
  const canon::Json& list = document.value.at(where);
  const bool good =
      list.is_array() && std::ranges::all_of(list, [](const canon::Json& item) { return item.is_string(); });
  if (!good) {
    throw fault::Error(Code::pack_invalid, "schema", "metadata.tenantVisibility must be a list of names",
                       document.at("/metadata/tenantVisibility"));
  }
  for (const canon::Json& item : list) tenants.push_back(item.get<std::string>());
  std::ranges::sort(tenants);
  return tenants;
}

catalog::Pack describe(const packfile::Opened& opened) {
  catalog::Pack pack;
  pack.name = opened.name;
  pack.version = opened.version;
  pack.digest = opened.digest;
  pack.manifest = {opened.manifest_digest, opened.manifest_bytes.size()};
  pack.tenants = read_tenants(opened);
  const catalog::Manifest manifest = catalog::parse_manifest(opened.manifest_bytes, pack.name_version());
  pack.blobs = {manifest.config};
  pack.blobs.insert(pack.blobs.end(), manifest.layers.begin(), manifest.layers.end());
  return pack;
}

void copy_blobs(const packfile::Opened& opened, const catalog::Pack& pack, const blobs::Store& store,
                blobs::Batch& batch) {
  if (!store.holds(pack.manifest)) {
    batch.begin(pack.manifest);
    batch.write(opened.manifest_bytes);
    batch.finish();
  }
  for (const blobs::Blob& blob : pack.blobs) {
    if (store.holds(blob)) continue;
    const std::string path = opened.blobs + "/" + blob.digest.hex();
    const files::Fd file = files::open_input(path, {.max_bytes = blob.size_bytes, .empty = files::Empty::allow});
    batch.begin(blob);
    files::stream_input(file, path, blob.size_bytes, [&](std::string_view block) { batch.write(block); });
    batch.finish();
  }
}

// Puts the pack into the state; false when it was there with the same bytes and in the same channel.
bool enter(State& state, catalog::Pack pack, const std::string& channel) {
  const auto same = std::ranges::find_if(
      state.packs, [&](const catalog::Pack& p) { return p.name_version() == pack.name_version(); });
  if (same == state.packs.end()) {
    pack.channels = {channel};
    state.packs.push_back(std::move(pack));
    std::ranges::sort(state.packs, {}, [](const catalog::Pack& p) { return std::pair(p.name, p.version); });
    return true;
  }
  if (same->digest != pack.digest) {
    throw fault::Error(Code::mirror_digest, "changed",
                       fmt::format("{} is in this mirror as {} and the file is {}", pack.name_version(),
                                   same->digest.tagged(), pack.digest.tagged()),
                       pack.name_version(), "A version never changes: give the new content a new version number.");
  }
  const bool has_channel = std::ranges::find(same->channels, channel) != same->channels.end();
  if (has_channel && same->manifest == pack.manifest) return false;
  pack.channels = same->channels;
  if (!has_channel) pack.channels.push_back(channel);
  std::ranges::sort(pack.channels);
  *same = std::move(pack);
  return true;
}

}  // namespace

std::vector<Added> add(const AddRequest& request, trust::Passphrases& passphrases) {
  const Folder folder(request.folder);
  State state = folder.load();
  const files::Fd lock = folder.lock();
  if (!metadata::is_channel(request.channel)) {
    throw fault::Error(Code::usage, "channel", "a channel's name has lower-case letters, digits and `-` only",
                       "--channel");
  }
  if (!state.roles.contains(request.channel)) {
    OnePassphrase one(passphrases);
    state.roles.emplace(request.channel, make_role_key(folder, request.channel, one, request.kdf_memory));
  }
  std::vector<Added> added;
  blobs::Batch batch(folder.store());
  for (const std::string& file : request.packs) {
    const Incoming incoming{folder.path() + "/incoming-" + canon::random_hex(6)};
    const packfile::Opened opened = packfile::open(file, incoming.path);
    catalog::Pack pack = describe(opened);
    copy_blobs(opened, pack, folder.store(), batch);
    const bool is_new = enter(state, std::move(pack), request.channel);
    state.changed = state.changed || is_new;
    added.push_back({opened.name_version(), opened.digest, is_new, !opened.signatures.empty()});
  }
  batch.commit();
  folder.save(state);
  return added;
}

}  // namespace stella::source
