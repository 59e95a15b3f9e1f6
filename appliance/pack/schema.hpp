// SPDX-License-Identifier: Apache-2.0
// A subset of JSON Schema 2020-12: type, enum, const, pattern (RE2), minimum, maximum, minLength, maxLength, minItems,
// maxItems, required, properties, items, additionalProperties. $schema, $id, title, description, examples, default and
// $comment are read and mean nothing. Every other keyword is refused by name, never ignored. Immutable; any thread.
// Source: JSON Schema Validation 2020-12 section 6; RE2 syntax instead of ECMA-262 (no look-around, no backreferences).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::pack {

struct SchemaNode;
class Schema {
 public:
  // Throws ERR_PACK_INVALID, reason `schema`, at `name#/pointer`. Limits: 1 MiB, depth 64.
  static Schema parse(std::string_view text, const std::string& name);
  static Schema compile(const canon::Json& schema, const std::string& name);
  struct Violation {
    std::string pointer, what;
  };  // pointer into the instance, "" for all of it
  // Every violation, at most 100; empty: the value keeps the schema.
  [[nodiscard]] std::vector<Violation> check(const canon::Json& value) const;

 private:
  std::shared_ptr<const SchemaNode> root_;
};

}  // namespace stella::pack
