// SPDX-License-Identifier: Apache-2.0
// The schema that a pack gives for an input. `format` is an annotation, a keyword that nobody knows is refused. A $ref
// may name another file of the pack, relative to the schema's own; nothing else is at hand. Any thread.
#pragma once

#include <optional>
#include <string>

#include "appliance/pack/manifest.hpp"
#include "appliance/schema/schema.hpp"

namespace stella::pack {

// nullopt: the pack has no such file. Throws ERR_PACK_INVALID, reason `json` or `schema`, at `path#/pointer`.
[[nodiscard]] std::optional<schema::Schema> load_schema(const std::string& path, const FileReader& read);

}  // namespace stella::pack
