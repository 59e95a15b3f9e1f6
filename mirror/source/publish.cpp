// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "mirror/metadata/document.hpp"
#include "mirror/source/bundle_sink.hpp"
#include "mirror/source/generation.hpp"
#include "mirror/source/source.hpp"

namespace stella::source {
namespace {

constexpr auto kHalfTimestampLife = std::chrono::hours(24 * 7) / 2;

bool is_root_file(const std::string& name) {
  return name.ends_with(".root.json");
}

// The metadata folder holds every root and one generation.
std::map<std::string, std::string> read_metadata(const Folder& folder) {
  std::map<std::string, std::string> texts;
  for (const files::Entry& entry : files::list_tree(folder.metadata())) {
    const std::string path = folder.metadata() + "/" + entry.path;
    texts[entry.path] = files::read_input(path, {.max_bytes = metadata::kMaxTargets, .links = files::Links::refuse});
  }
  return texts;
}

void replace_metadata(const Folder& folder, const std::map<std::string, std::string>& texts) {
  for (const auto& [name, text] : texts) files::write_atomically(folder.metadata() + "/" + name, text, 0644);
  for (const files::Entry& entry : files::list_tree(folder.metadata())) {
    if (!texts.contains(entry.path) && !is_root_file(entry.path))
      files::remove_tree(folder.metadata() + "/" + entry.path);
  }
}

bool needs_generation(const State& state, clock::Time now) {
  return state.changed || !state.issued || now >= *state.issued + kHalfTimestampLife || now < *state.issued;
}

// Signs the next generation and makes it this folder's, before a byte goes to a medium.
void advance(const Folder& folder, State& state, const std::string& index, clock::Time now,
             trust::Passphrases& passphrases) {
  ++state.generation;
  state.issued = std::chrono::floor<std::chrono::seconds>(now);
  state.changed = false;
  OnePassphrase one(passphrases);
  Signers signers;
  for (const auto& [role, key] : state.roles)
    signers.emplace(role, load_role_key(folder, state, role, one, passphrases));
  replace_metadata(folder, sign_generation(state, index, signers));
  files::crash_point("source.signed");
  folder.save(state);
}

void put_file(BundleSink& sink, const std::string& path, std::string_view bytes) {
  sink.begin(path, bytes.size());
  sink.write(bytes);
  sink.end();
}

void put_volume(BundleSink& sink, const blobs::Store& store, const std::vector<volumes::Row>& rows, int volume) {
  sink.begin(volumes::volume_name(volume), volumes::volume_bytes(rows, volume));
  for (const volumes::Row& row : rows) {
    if (row.volume != volume) continue;
    sink.write(volumes::member_header(row.blob));
    store.stream(row.blob, [&](std::string_view block) { sink.write(block); });
    sink.write(std::string(volumes::padding_after(row.blob.size_bytes), '\0'));
  }
  sink.write(std::string(volumes::kTail, '\0'));
  sink.end();
}

}  // namespace

Published publish(const std::string& path, const std::string& to, const clock::Clock& clock,
                  trust::Passphrases& passphrases, const std::function<void(const std::string&)>& note) {
  const Folder folder(path);
  (void)folder.load();
  const files::Fd lock = folder.lock();
  State state = folder.load();
  const std::vector<volumes::Row> rows = lay_out_packs(state.packs);
  const std::string index = volumes::write_index(rows);
  Published published{
      .is_new = needs_generation(state, clock.now()), .path = {}, .packs = state.packs.size(), .blobs = rows.size()};
  if (published.is_new) advance(folder, state, index, clock.now(), passphrases);
  published.generation = state.generation;

  const std::map<std::string, std::string> texts = read_metadata(folder);
  const std::string hint = volumes::write_hint(state.name, state.generation, rows);
  published.bytes = hint.size() + index.size();
  for (const auto& [name, text] : texts) published.bytes += text.size();
  const int volumes_count = rows.empty() ? 0 : rows.back().volume;
  for (int volume = 1; volume <= volumes_count; ++volume) published.bytes += volumes::volume_bytes(rows, volume);

  const auto sink = open_sink(to, fmt::format("{}-g{}", state.name, state.generation), published.bytes);
  put_file(*sink, "bundle.json", hint);
  for (const auto& [name, text] : texts) put_file(*sink, "metadata/" + name, text);
  put_file(*sink, volumes::kIndexName, index);
  for (int volume = 1; volume <= volumes_count; ++volume) {
    put_volume(*sink, folder.store(), rows, volume);
    note(fmt::format("{} written", volumes::volume_name(volume)));
  }
  published.path = sink->finish();
  return published;
}

}  // namespace stella::source
