// SPDX-License-Identifier: Apache-2.0
// The vocabularies of 2020-12 and the keywords that each has. Any thread.
// Source: JSON Schema Core 2020-12 sections 8, 10, 11; Validation 2020-12 sections 6 to 9.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stella::schema {

enum class Vocabulary : std::uint8_t {
  core,
  applicator,
  unevaluated,
  validation,
  meta_data,
  format_annotation,
  format_assertion,
  content
};

class Vocabularies {
 public:
  [[nodiscard]] static Vocabularies standard();  // what the 2020-12 metaschema lists
  void add(Vocabulary one) { bits_ = static_cast<std::uint8_t>(bits_ | (1U << static_cast<unsigned>(one))); }
  [[nodiscard]] bool has(Vocabulary one) const { return (bits_ >> static_cast<unsigned>(one) & 1U) != 0; }

 private:
  std::uint8_t bits_ = 0;
};

[[nodiscard]] std::optional<Vocabulary> find_vocabulary(std::string_view uri);

// Where the subschemas of a keyword's value are.
enum class Shape : std::uint8_t { none, schema, list, members, dependencies };

struct KeywordRow {
  std::string_view name;
  Vocabulary vocabulary;
  Shape shape;
};
// nullptr when no vocabulary of the dialect has it.
[[nodiscard]] const KeywordRow* find_keyword(std::string_view name, const Vocabularies& dialect);
[[nodiscard]] std::vector<std::string> keyword_names();

}  // namespace stella::schema
