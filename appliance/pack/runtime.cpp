// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"

namespace stella::pack {
namespace {

constexpr std::string_view kRule =
    "NAME@sha256:HEX: a lower-case name without a tag, and the 64 hex digits of the image manifest's digest";

// nullopt for what is no pinned image.
std::optional<Runtime> parse_pinned(const std::string& text) {
  const std::size_t at = text.find('@');
  if (at == std::string::npos || !is_image_name(std::string_view(text).substr(0, at))) return std::nullopt;
  try {
    return Runtime{text.substr(0, at), canon::parse_digest(text.substr(at + 1), fault::Code::pack_invalid, "")};
  } catch (const fault::Error&) {
    return std::nullopt;
  }
}

}  // namespace

void read_runtime_part(Section& spec, Findings& findings, Manifest& manifest) {
  const canon::Json* value = spec.any("runtime");
  if (value == nullptr) return;
  Section runtime(findings, *value, spec.pointer_to("runtime"));
  const auto is_pinned = [](std::string_view text) { return parse_pinned(std::string(text)).has_value(); };
  if (const auto image = runtime.word("image", Need::required, is_pinned, kRule))
    manifest.runtime = parse_pinned(*image);
  runtime.finish();
}

}  // namespace stella::pack
