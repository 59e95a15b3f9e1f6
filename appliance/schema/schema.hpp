// SPDX-License-Identifier: Apache-2.0
// JSON Schema 2020-12, whole: every keyword of the core, applicator, unevaluated, validation, format and content
// vocabularies, with $ref, $dynamicRef and custom dialects. Compiled once, immutable after that; any thread.
// Nothing is ever fetched: what $ref names is in the same document, among the built-in metaschemas, or handed in by the
// caller. Patterns are ECMA-262 (u flag) as far as RE2 can run them, so matching is linear.
// Limits: 1 MiB a document, 64 levels, 20,000 subschemas, 1,000 documents and resources, patterns of 8 KiB and 24 MiB
// in all, and a budget of steps that grows with the value checked. Source: JSON Schema Core and Validation 2020-12; RFC
// 3986 for references; ECMA-262 section 22.2 for patterns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::schema {

enum class Formats { annotated, asserted };  // whether `format` may make a value invalid
enum class Unknown { ignored, refused };     // keywords that no vocabulary has; `x-...` is always let in

// The text of the document at an absolute URI without fragment; nullopt when the caller has none.
using Find = std::function<std::optional<std::string>(const std::string& uri)>;

struct Options {
  std::string name;  // of the document, for messages
  std::string base;  // its URI, against which a relative $id or $ref is read; may be empty
  Formats formats = Formats::annotated;
  Unknown unknown = Unknown::ignored;
  Find find = nullptr;
};

struct Violation {
  std::string pointer;  // into the value, "" for all of it
  std::string schema;   // where the keyword is: `name#/properties/cell/pattern`
  std::string keyword;  // "" for the schema `false`
  std::string wanted;   // the keyword's own value as JSON, shortened; "" for `false`
  std::string what;     // a predicate: `must be of type string, not 5`
};

inline constexpr std::size_t kMaxViolations = 1000;
struct Verdict {
  bool valid = true;
  std::vector<Violation> violations;  // all of them, kMaxViolations at most
  bool has_more = false;              // there were more
};

struct Program;
class Schema {
 public:
  // Both throw ERR_PACK_INVALID at `name#/pointer`: reason `json` when the text is not JSON, `schema` when it is not a
  // schema, names what cannot be found or goes over a limit.
  static Schema parse(std::string_view text, const Options& options);
  static Schema compile(canon::Json schema, const Options& options);
  // Throws ERR_PACK_INVALID, reason `schema`, when the schema runs in a circle or takes too many steps for this value.
  [[nodiscard]] Verdict check(const canon::Json& value) const;

 private:
  std::shared_ptr<const Program> program_;
};

}  // namespace stella::schema
