// SPDX-License-Identifier: Apache-2.0
// Strict YAML for people's files: one document, no anchors, aliases, tags, directives, merge keys or duplicate keys;
// member names are text. Plain scalars: `null`, `~` and nothing are null, `true`, `false` (and `True TRUE False FALSE`)
// are booleans, numbers are what JSON writes as numbers, everything else is text: `no`, `012`, `0x1f`, `12:30`,
// `1.4.0`. Reads libfyaml's events one by one and stops at the first thing it refuses; nothing is ever resolved, so a
// bomb of aliases costs no more than its first line. One thread per document. Limits: 1 MiB of UTF-8, 64 levels,
// 120,000 nodes, 90,000 names in all, each of 1,024 bytes, integers within +-2^53.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "bundles/canon/json.hpp"
#include "bundles/canon/json_places.hpp"

namespace stella::yaml {

struct Mark {
  int line = 0, column = 0;  // from 1; columns count characters
};

struct Marks {
  Mark value;  // where it starts
  Mark name;   // where the member's name starts; line 0: an item of a list, or the whole text
};

struct Document {
  canon::Json value;
  std::string name;                              // for messages
  std::unordered_map<std::string, Marks> marks;  // by JSON pointer
  std::string json = {};  // the text, when it is JSON: places are looked up in it when they are asked for
  // `name:line:column` of the value at `pointer`, or of its nearest parent. Without marks and text: `name:/pointer`.
  [[nodiscard]] std::string at(const std::string& pointer) const;
  [[nodiscard]] bool has(const std::string& pointer) const { return marks.contains(pointer); }
  [[nodiscard]] std::string at_key(const std::string& pointer) const;
};

// Throws `code`, reason `yaml`, at name:line:column.
[[nodiscard]] Document parse(std::string_view text, const std::string& name, fault::Code code);
// Reads JSON (strict) when the name ends in .json, else YAML.
[[nodiscard]] Document parse_by_name(std::string_view text, const std::string& name, fault::Code code);

using canon::pointer_step;

}  // namespace stella::yaml
