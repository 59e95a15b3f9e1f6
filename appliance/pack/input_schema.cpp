// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/input_schema.hpp"

#include "appliance/pack/grammar.hpp"
#include "appliance/schema/uri.hpp"

namespace stella::pack {
namespace {

constexpr std::string_view kBase = "pack:/";  // the pack's root as a URI, so that references resolve like links

}  // namespace

std::optional<schema::Schema> load_schema(const std::string& path, const FileReader& read) {
  const auto text = read(path);
  if (!text) return std::nullopt;
  const auto find = [&](const std::string& uri) -> std::optional<std::string> {
    if (!uri.starts_with(kBase)) return std::nullopt;
    const auto inner = schema::decode_percent(std::string_view(uri).substr(kBase.size()));
    return inner && is_inner_path(*inner) ? read(*inner) : std::nullopt;
  };
  return schema::Schema::parse(*text, {.name = path,
                                       .base = std::string(kBase) + path,
                                       .formats = schema::Formats::annotated,
                                       .unknown = schema::Unknown::refused,
                                       .find = find});
}

}  // namespace stella::pack
