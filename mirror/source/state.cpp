// SPDX-License-Identifier: Apache-2.0
#include "mirror/source/state.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::source {
namespace {

using fault::Code;
constexpr auto kCode = Code::mirror_malformed;
constexpr const char* kSchema = "stella.mirror-source.v1";
constexpr const char* kAt = "source.json";
constexpr std::uint64_t kMaxState = std::uint64_t{64} << 20;
constexpr std::int64_t kMaxNumber = std::int64_t{1} << 52;

canon::Json blob_json(const blobs::Blob& blob) {
  return {{"digest", blob.digest.tagged()}, {"size", blob.size_bytes}};
}

blobs::Blob parse_blob(const canon::Json& object) {
  canon::Fields fields(object, kCode, "json", kAt);
  blobs::Blob blob;
  blob.digest = canon::parse_digest(fields.text("digest", 71), kCode, kAt);
  blob.size_bytes = static_cast<std::uint64_t>(fields.integer("size", 0, kMaxNumber));
  fields.finish();
  return blob;
}

canon::Json pack_json(const catalog::Pack& pack) {
  canon::Json blobs = canon::Json::array();
  for (const blobs::Blob& blob : pack.blobs) blobs.push_back(blob_json(blob));
  return {{"name", pack.name},
          {"version", pack.version},
          {"digest", pack.digest.tagged()},
          {"manifest", blob_json(pack.manifest)},
          {"tenants", pack.tenants},
          {"channels", pack.channels},
          {"blobs", blobs}};
}

catalog::Pack parse_pack(const canon::Json& object) {
  canon::Fields fields(object, kCode, "json", kAt);
  catalog::Pack pack;
  pack.name = fields.text("name", 128);
  pack.version = fields.text("version", 128);
  pack.digest = canon::parse_digest(fields.text("digest", 71), kCode, kAt);
  pack.manifest = parse_blob(fields.object("manifest"));
  pack.tenants = fields.texts("tenants");
  pack.channels = fields.texts("channels");
  for (const canon::Json& blob : fields.array("blobs")) pack.blobs.push_back(parse_blob(blob));
  fields.finish();
  return pack;
}

std::map<std::string, RoleKey> parse_roles(const canon::Json& object) {
  std::map<std::string, RoleKey> roles;
  for (const auto& [role, value] : object.items()) {
    canon::Fields fields(value, kCode, "json", kAt);
    const std::string file = fields.text("file", 4096);
    roles.emplace(role, RoleKey{file, trust::parse_public_line(fields.text("key", 128), kCode, kAt)});
    fields.finish();
  }
  return roles;
}

}  // namespace

bool Folder::has_state() const {
  return ::access((path_ + "/source.json").c_str(), F_OK) == 0;
}

State Folder::load() const {
  if (!has_state()) {
    throw fault::Error(Code::file_not_found, "source", path_ + " is not a mirror's folder", path_,
                       "Make one with `stella mirror init DIR --root-key K ... --threshold N`.");
  }
  const std::string text =
      files::read_input(path_ + "/source.json", {.max_bytes = kMaxState, .links = files::Links::refuse});
  const canon::Json object = canon::parse_json(text, kCode, kAt, kMaxState);
  canon::Fields fields(object, kCode, "json", kAt);
  (void)fields.choice("schema", {kSchema});
  State state;
  state.name = fields.text("name", 64);
  state.generation = fields.integer("generation", 0, kMaxNumber);
  if (const canon::Json& issued = fields.any("issued"); !issued.is_null()) {
    state.issued = clock::parse_time(fields.text("issued", 32), kCode, kAt);
  }
  state.changed = fields.boolean("changed");
  state.roles = parse_roles(fields.object("roles"));
  for (const canon::Json& pack : fields.array("packs")) state.packs.push_back(parse_pack(pack));
  fields.finish();
  return state;
}

void Folder::save(const State& state) const {
  canon::Json roles = canon::Json::object(), packs = canon::Json::array();
  for (const auto& [role, key] : state.roles) roles[role] = {{"file", key.file}, {"key", key.key.line()}};
  for (const catalog::Pack& pack : state.packs) packs.push_back(pack_json(pack));
  const canon::Json object = {
      {"schema", kSchema},
      {"name", state.name},
      {"generation", state.generation},
      {"issued", state.issued ? canon::Json(clock::format(*state.issued)) : canon::Json(nullptr)},
      {"changed", state.changed},
      {"roles", roles},
      {"packs", packs}};
  files::write_atomically(path_ + "/source.json", canon::pretty(object), 0644);
}

files::Fd Folder::lock() const {
  const std::string path = path_ + "/lock";
  files::Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) throw fault::system_error(errno, "opening", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw fault::system_error(errno, "locking", path);
  throw fault::Error(Code::mirror_busy, "locked", "another stella process is writing to " + path_, path);
}

}  // namespace stella::source
