// SPDX-License-Identifier: Apache-2.0
// Strict YAML for people's files: one document, no anchors, aliases, tags, merge keys or duplicate keys; core-schema
// scalars only (`no`, `012`, `12:30` stay strings). libfyaml, which never resolves anything here. One thread per document.
// Limits: 1 MiB, 64 levels, 50,000 nodes.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bundles/canon/json.hpp"

namespace stella::yaml {

struct Mark { int line = 0, column = 0; };  // from 1

struct Document {
  canon::Json value;
  std::string name;                   // for messages
  std::map<std::string, Mark> marks;  // JSON pointer -> where its value starts; pointer + "#" -> where its key starts
  // `name:line:column` of the value at `pointer`, or of its nearest parent.
  [[nodiscard]] std::string at(const std::string& pointer) const;
  [[nodiscard]] std::string at_key(const std::string& pointer) const;
};

// Throws `code`, reason `yaml`, at name:line:column.
[[nodiscard]] Document parse(std::string_view text, const std::string& name, fault::Code code);
// Reads JSON (strict) when the name ends in .json, else YAML. JSON marks are not kept: at() gives the pointer.
[[nodiscard]] Document parse_by_name(std::string_view text, const std::string& name, fault::Code code);

}  // namespace stella::yaml
