// SPDX-License-Identifier: Apache-2.0
#include "bundles/packfile/config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/archive/names.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::packfile {
namespace {

constexpr auto kInvalid = fault::Code::pack_invalid;
constexpr std::string_view kSchema = "stella.pack.config.v1";
constexpr std::size_t kMaxWord = 128;

[[noreturn]] void fail(const char* reason, const std::string& what, const std::string& at) {
  throw fault::Error(kInvalid, reason, what, at);
}

bool is_word(const std::string& text, std::string_view marks, bool capitals) {
  const auto plain = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (capitals && c >= 'A' && c <= 'Z');
  };
  const auto allowed = [&](char c) { return plain(c) || marks.find(c) != std::string_view::npos; };
  return !text.empty() && text.size() <= kMaxWord && plain(text[0]) && std::all_of(text.begin(), text.end(), allowed);
}

FileEntry parse_file(const canon::Json& item, const std::string& at) {
  canon::Fields fields(item, kInvalid, "config", at);
  FileEntry entry;
  entry.path = fields.text("path", 4096);
  entry.mode = fields.choice("mode", {"0644", "0755"}) == "0755" ? 0755 : 0644;
  entry.size_bytes =
      static_cast<std::uint64_t>(fields.integer("size", 0, static_cast<std::int64_t>(archive::kMaxFileBytes)));
  entry.digest = canon::parse_hex_digest(fields.text("sha256", 64), kInvalid, at + ".sha256");
  fields.finish();
  return entry;
}

void check_files(const std::vector<FileEntry>& files, const std::string& at) {
  const archive::Codes codes{kInvalid, at};
  archive::NameSet names(codes);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    archive::check_path(files[i].path, codes);
    names.add(files[i].path, archive::Type::file);
    if (i > 0 && files[i - 1].path >= files[i].path)
      fail("config", "the files are not in the order of their paths", at);
    total += files[i].size_bytes;
    if (total > kMaxPackBytes) fail("size", "the files take more than 8 GiB", at);
  }
}

}  // namespace

void check_name_version(const std::string& name, const std::string& version, const std::string& at) {
  if (!is_word(name, "-._", false))
    fail("name", "the pack's name is not lower-case letters, digits, `-`, `.` and `_`", at);
  if (!is_word(version, "-._+", true))
    fail("name", "the pack's version is not letters, digits, `-`, `.`, `_` and `+`", at);
}

std::vector<std::vector<std::size_t>> assign_layers(const std::vector<FileEntry>& files) {
  std::vector<std::size_t> small;
  std::vector<std::vector<std::size_t>> layers;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].size_bytes <= kSmallFileBytes) {
      small.push_back(i);
    } else {
      layers.push_back({i});
    }
  }
  if (!small.empty()) layers.insert(layers.begin(), std::move(small));
  return layers;
}

std::string write_config(const Config& config) {
  canon::Json files = canon::Json::array(), layers = canon::Json::array();
  for (const FileEntry& file : config.files) {
    files.push_back({{"path", file.path},
                     {"mode", file.mode == 0755 ? "0755" : "0644"},
                     {"size", file.size_bytes},
                     {"sha256", file.digest.hex()}});
  }
  for (const canon::Digest& layer : config.layers) layers.push_back(layer.tagged());
  return canon::canonical({{"schema", kSchema},
                           {"name", config.name},
                           {"version", config.version},
                           {"files", std::move(files)},
                           {"layers", std::move(layers)}});
}

Config parse_config(std::string_view bytes, const std::string& at) {
  const canon::Json object = canon::parse_json(bytes, kInvalid, at, kMaxManifestBytes);
  canon::Fields fields(object, kInvalid, "config", at);
  (void)fields.choice("schema", {std::string(kSchema)});
  Config config;
  config.name = fields.text("name", kMaxWord);
  config.version = fields.text("version", kMaxWord);
  check_name_version(config.name, config.version, at);
  const canon::Json& files = fields.array("files");
  for (std::size_t i = 0; i < files.size(); ++i) {
    config.files.push_back(parse_file(files[i], fmt::format("{}.files[{}]", at, i)));
  }
  for (const std::string& layer : fields.texts("layers")) {
    config.layers.push_back(canon::parse_digest(layer, kInvalid, at + ".layers"));
  }
  fields.finish();
  check_files(config.files, at);
  if (config.layers.size() != assign_layers(config.files).size()) fail("layer", "the layers do not fit the files", at);
  if (canon::canonical(object) != bytes) fail("config", "the manifest is not in canonical form", at);
  return config;
}

}  // namespace stella::packfile
