// SPDX-License-Identifier: Apache-2.0
// pack build, pack sign, pack inspect: what a publisher does with a pack, and what anybody can see of one.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>

#include "appliance/cli/command.hpp"
#include "appliance/image/image.hpp"
#include "appliance/pack/manifest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/blobs.hpp"
#include "bundles/packfile/bundle.hpp"
#include "mirror/catalog/export.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxText = std::uint64_t{1} << 20;

// An author's folder as the checks read a pack; links are refused.
pack::FileReader folder_reader(const files::Fd& root) {
  return [&root](const std::string& path) -> std::optional<std::string> {
    try {
      return files::read_input_beneath(root, path, {kMaxText, files::Empty::allow});
    } catch (const Error& error) {
      if (error.code() == Code::file_not_found) return std::nullopt;
      throw;
    }
  };
}

pack::Manifest checked_manifest(const std::string& folder) {
  const files::Fd root = files::open_folder(folder);
  const std::string name = folder == "." ? "pack.yaml" : folder + "/pack.yaml";
  const pack::FileReader read = folder_reader(root);
  const std::optional<std::string> text = read("pack.yaml");
  if (!text) {
    throw Error(Code::pack_invalid, "file", "the folder has no pack.yaml", name,
                "Begin one with `stella pack init DIR`, or name the pack's folder.");
  }
  pack::Manifest manifest = pack::parse_manifest(*text, name);
  pack::require_none(pack::check_files(manifest, read));
  if (manifest.runtime)
    pack::require_none(
        image::check_layouts(*manifest.runtime, image::layouts_in_folder(folder, manifest.runtime->name)));
  return manifest;
}

canon::Json to_json(const packfile::Built& built, bool is_signed) {
  return {{"name", built.name}, {"version", built.version},      {"digest", built.digest.tagged()},
          {"path", built.path}, {"sizeBytes", built.size_bytes}, {"signed", is_signed}};
}

std::string strip_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

int build(Invocation& call) {
  const std::string folder = strip_slashes(call.value("DIR").value_or("."));
  const pack::Manifest manifest = checked_manifest(folder);
  const std::string out = call.value("--out").value_or(fmt::format("{}-{}.pack", manifest.name, manifest.version));
  if (out.ends_with(".zst")) {
    throw Error(Code::usage, "not-yet", "compressed packs (`.pack.zst`) come with a later version", out,
                "Leave out `.zst`.");
  }
  const bool wants_key = call.value("--key").has_value() || std::getenv("STELLA_KEY") != nullptr;
  std::optional<trust::LoadedKey> key;
  if (wants_key) key.emplace(call.load_key());
  const packfile::Built built =
      packfile::build(folder, manifest.name, manifest.version, out, key ? &key->key : nullptr);
  call.out().say(fmt::format("{}  {}:{}  {} bytes", out, built.name, built.version, built.size_bytes));
  call.out().say("  digest  " + built.digest.tagged());
  call.out().say(key ? "  signed  by " + key->key.public_key().key_id() : "  signed  by nobody");
  if (!key) call.out().note(fmt::format("next: stella pack sign {} --key KEY", out));
  call.out().result(to_json(built, key.has_value()));
  return 0;
}

int sign(Invocation& call) {
  const std::string file = call.need("FILE");
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    throw Error(Code::file_unsuitable, "folder", "a folder cannot be signed in place", file,
                "Sign the `.pack` file and copy it to the layout again.");
  }
  const trust::LoadedKey key = call.load_key();
  const packfile::Built built = packfile::add_signature(file, key.key);
  call.out().say(
      fmt::format("{}  {}:{}  signed by {}", file, built.name, built.version, key.key.public_key().key_id()));
  call.out().result(to_json(built, true));
  return 0;
}

// What a pack says and holds, without a word about whether to believe it.
struct Inspected {
  packfile::Opened pack;
  std::optional<pack::Reading> reading;  // absent: pack.yaml could not be read at all
  std::string trouble;
};

bool names_a_registry_pack(const std::string& text) {
  struct stat info {};
  return ::stat(text.c_str(), &info) != 0 && text.find(':') != std::string::npos && text.find('/') == std::string::npos;
}

Inspected look(Invocation& call, const std::string& what, const packfile::TemporaryFolder& spool) {
  std::string file = what;
  if (names_a_registry_pack(what)) {
    file = spool.path() + "/exported.pack";
    (void)catalog::export_pack(call.home(), what, call.tenant(), file);
  }
  Inspected found{packfile::open(file, spool.path() + "/blobs"), std::nullopt, {}};
  try {
    found.reading = pack::read_manifest(packfile::read_file(found.pack, "pack.yaml", kMaxText), "pack.yaml");
  } catch (const Error& error) {
    if (error.code() != Code::pack_invalid) throw;
    found.trouble = fmt::format("{}: {}", error.at(), error.what());
  }
  return found;
}

canon::Json list_files(const packfile::Opened& pack) {
  canon::Json files = canon::Json::array();
  for (const packfile::FileEntry& file : pack.files) {
    files.push_back({{"path", file.path},
                     {"mode", fmt::format("{:04o}", file.mode)},
                     {"sizeBytes", file.size_bytes},
                     {"sha256", file.digest.hex()}});
  }
  return files;
}

canon::Json list_signatures(const packfile::Opened& pack) {
  canon::Json signatures = canon::Json::array();
  for (const dsse::Envelope& envelope : pack.signatures) {
    for (const dsse::EnvelopeSignature& signature : envelope.signatures) {
      signatures.push_back({{"keyid", canon::printable(signature.key_id, 64)}});
    }
  }
  return signatures;
}

void add_manifest(canon::Json& object, const pack::Manifest& manifest) {
  canon::Json inputs = canon::Json::array(), secrets = inputs, network = inputs, approvals = inputs;
  for (const pack::Input& input : manifest.inputs) {
    inputs.push_back({{"name", input.name}, {"type", pack::name_of(input.type)}, {"required", input.required}});
  }
  for (const pack::Secret& secret : manifest.secrets)
    secrets.push_back({{"name", secret.name}, {"scope", secret.scope}});
  for (const pack::Ask& ask : manifest.network) network.push_back({{"host", ask.host}, {"port", ask.port}});
  for (const pack::Approval& approval : manifest.approvals) {
    approvals.push_back({{"id", approval.id}, {"threshold", approval.threshold}, {"roles", approval.roles}});
  }
  object["description"] = manifest.description;
  object["sealedInstall"] = manifest.sealed_install;
  object["inputs"] = std::move(inputs);
  object["secrets"] = std::move(secrets);
  object["network"] = std::move(network);
  object["approvals"] = std::move(approvals);
}

canon::Json to_json(const Inspected& found) {
  canon::Json layers = canon::Json::array(), problems = canon::Json::array();
  for (const canon::Digest& layer : found.pack.layers) layers.push_back(layer.tagged());
  if (!found.trouble.empty()) problems.push_back(found.trouble);
  canon::Json object = {{"name", found.pack.name},
                        {"version", found.pack.version},
                        {"digest", found.pack.digest.tagged()},
                        {"manifestDigest", found.pack.manifest_digest.tagged()},
                        {"files", list_files(found.pack)},
                        {"layers", std::move(layers)},
                        {"signatures", list_signatures(found.pack)}};
  if (found.reading) {
    add_manifest(object, found.reading->manifest);
    for (const pack::Problem& problem : found.reading->problems) problems.push_back(problem.at + ": " + problem.what);
  }
  object["problems"] = std::move(problems);
  return object;
}

void say_list(Output& out, const std::string& title, const std::vector<std::string>& lines) {
  if (!lines.empty()) out.say(out.strong(title));
  for (const std::string& line : lines) out.say("  " + canon::printable(line, 300));
}

void say_manifest(Output& out, const pack::Manifest& manifest) {
  std::vector<std::string> inputs, secrets, network, approvals;
  for (const pack::Input& input : manifest.inputs) {
    inputs.push_back(
        fmt::format("{}  {}{}", input.name, pack::name_of(input.type), input.required ? ", required" : ""));
  }
  for (const pack::Secret& secret : manifest.secrets)
    secrets.push_back(fmt::format("{}  scope {}", secret.name, secret.scope));
  for (const pack::Ask& ask : manifest.network) network.push_back(fmt::format("{}:{}", ask.host, ask.port));
  for (const pack::Approval& approval : manifest.approvals) {
    std::string line = fmt::format("{}  {} of the approvers", approval.id, approval.threshold);
    for (const auto& [role, count] : approval.roles) line += fmt::format(", {} of role {}", count, role);
    approvals.push_back(std::move(line));
  }
  say_list(out, "inputs", inputs);
  say_list(out, "secrets", secrets);
  say_list(out, "network it asks for", network);
  say_list(out, "approvals", approvals);
}

void say_all(Output& out, const Inspected& found) {
  out.say(out.strong(found.pack.name_version()));
  if (found.reading && !found.reading->manifest.description.empty()) {
    out.say(canon::printable(found.reading->manifest.description, 300));
  }
  out.say("digest   " + found.pack.digest.tagged());
  out.say("manifest " + found.pack.manifest_digest.tagged());
  std::vector<std::string> keys, problems;
  for (const dsse::Envelope& envelope : found.pack.signatures) {
    for (const auto& signature : envelope.signatures) keys.push_back("key id " + signature.key_id);
  }
  if (keys.empty()) keys.emplace_back("none");
  say_list(out, "signatures (not checked here: `pack plan` checks them by the site's policy)", keys);
  if (found.reading) say_manifest(out, found.reading->manifest);
  std::vector<std::vector<std::string>> rows;
  for (const packfile::FileEntry& file : found.pack.files) {
    rows.push_back({fmt::format("{:04o}", file.mode), std::to_string(file.size_bytes), file.digest.hex(), file.path});
  }
  out.table({"MODE", "BYTES", "SHA-256", "FILE"}, rows);
  if (!found.trouble.empty()) problems.push_back(found.trouble);
  if (found.reading) {
    for (const pack::Problem& problem : found.reading->problems) problems.push_back(problem.at + ": " + problem.what);
  }
  say_list(out, "problems", problems);
}

int inspect(Invocation& call) {
  const std::string what = call.need("PACK");
  files::make_folders(call.home().packs());
  const packfile::TemporaryFolder spool(call.home().packs());
  const Inspected found = look(call, what, spool);
  say_all(call.out(), found);
  call.out().result(to_json(found));
  return 0;
}

}  // namespace

std::vector<Command> pack_author_commands() {
  const Option key{.name = "--key", .value = "FILE", .help = "the publisher's key (default STELLA_KEY)"};
  return {
      {{"pack", "build"},
       "check a pack's folder and make NAME-VERSION.pack of it; the same folder gives the same bytes",
       "stella pack build firmware-rollout --key publisher.key",
       {{"DIR", "the pack's folder (default: the current one)", false}},
       {key, {.name = "--out", .value = "FILE", .help = "where to write it (default NAME-VERSION.pack here)"}},
       build},
      {{"pack", "sign"},
       "add a publisher's signature to a pack; its digest stays the same",
       "stella pack sign firmware-rollout-1.4.0.pack --key publisher.key",
       {{"FILE", "a .pack file"}},
       {key},
       sign},
      {{"pack", "inspect"},
       "what a pack holds, asks for and who claims to have signed it; trusts nothing",
       "stella pack inspect firmware-rollout-1.4.0.pack",
       {{"PACK", "a .pack file, an OCI layout folder, or NAME:VERSION of the registry"}},
       {},
       inspect},
  };
}

}  // namespace stella::cli
