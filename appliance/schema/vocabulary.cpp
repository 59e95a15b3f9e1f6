// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace stella::schema {
namespace {

constexpr std::array kRows = {
    KeywordRow{"$id", Vocabulary::core, Shape::none},
    KeywordRow{"$schema", Vocabulary::core, Shape::none},
    KeywordRow{"$ref", Vocabulary::core, Shape::none},
    KeywordRow{"$anchor", Vocabulary::core, Shape::none},
    KeywordRow{"$dynamicRef", Vocabulary::core, Shape::none},
    KeywordRow{"$dynamicAnchor", Vocabulary::core, Shape::none},
    KeywordRow{"$vocabulary", Vocabulary::core, Shape::none},
    KeywordRow{"$comment", Vocabulary::core, Shape::none},
    KeywordRow{"$defs", Vocabulary::core, Shape::members},
    KeywordRow{"definitions", Vocabulary::core, Shape::members},  // its name before 2019; the metaschema still has it
    KeywordRow{"allOf", Vocabulary::applicator, Shape::list},
    KeywordRow{"anyOf", Vocabulary::applicator, Shape::list},
    KeywordRow{"oneOf", Vocabulary::applicator, Shape::list},
    KeywordRow{"not", Vocabulary::applicator, Shape::schema},
    KeywordRow{"if", Vocabulary::applicator, Shape::schema},
    KeywordRow{"then", Vocabulary::applicator, Shape::schema},
    KeywordRow{"else", Vocabulary::applicator, Shape::schema},
    KeywordRow{"dependentSchemas", Vocabulary::applicator, Shape::members},
    KeywordRow{"dependencies", Vocabulary::applicator, Shape::dependencies},  // of before 2019
    KeywordRow{"prefixItems", Vocabulary::applicator, Shape::list},
    KeywordRow{"items", Vocabulary::applicator, Shape::schema},
    KeywordRow{"contains", Vocabulary::applicator, Shape::schema},
    KeywordRow{"properties", Vocabulary::applicator, Shape::members},
    KeywordRow{"patternProperties", Vocabulary::applicator, Shape::members},
    KeywordRow{"additionalProperties", Vocabulary::applicator, Shape::schema},
    KeywordRow{"propertyNames", Vocabulary::applicator, Shape::schema},
    KeywordRow{"unevaluatedItems", Vocabulary::unevaluated, Shape::schema},
    KeywordRow{"unevaluatedProperties", Vocabulary::unevaluated, Shape::schema},
    KeywordRow{"type", Vocabulary::validation, Shape::none},
    KeywordRow{"const", Vocabulary::validation, Shape::none},
    KeywordRow{"enum", Vocabulary::validation, Shape::none},
    KeywordRow{"multipleOf", Vocabulary::validation, Shape::none},
    KeywordRow{"maximum", Vocabulary::validation, Shape::none},
    KeywordRow{"exclusiveMaximum", Vocabulary::validation, Shape::none},
    KeywordRow{"minimum", Vocabulary::validation, Shape::none},
    KeywordRow{"exclusiveMinimum", Vocabulary::validation, Shape::none},
    KeywordRow{"maxLength", Vocabulary::validation, Shape::none},
    KeywordRow{"minLength", Vocabulary::validation, Shape::none},
    KeywordRow{"pattern", Vocabulary::validation, Shape::none},
    KeywordRow{"maxItems", Vocabulary::validation, Shape::none},
    KeywordRow{"minItems", Vocabulary::validation, Shape::none},
    KeywordRow{"uniqueItems", Vocabulary::validation, Shape::none},
    KeywordRow{"maxContains", Vocabulary::validation, Shape::none},
    KeywordRow{"minContains", Vocabulary::validation, Shape::none},
    KeywordRow{"maxProperties", Vocabulary::validation, Shape::none},
    KeywordRow{"minProperties", Vocabulary::validation, Shape::none},
    KeywordRow{"required", Vocabulary::validation, Shape::none},
    KeywordRow{"dependentRequired", Vocabulary::validation, Shape::none},
    KeywordRow{"title", Vocabulary::meta_data, Shape::none},
    KeywordRow{"description", Vocabulary::meta_data, Shape::none},
    KeywordRow{"default", Vocabulary::meta_data, Shape::none},
    KeywordRow{"deprecated", Vocabulary::meta_data, Shape::none},
    KeywordRow{"readOnly", Vocabulary::meta_data, Shape::none},
    KeywordRow{"writeOnly", Vocabulary::meta_data, Shape::none},
    KeywordRow{"examples", Vocabulary::meta_data, Shape::none},
    KeywordRow{"format", Vocabulary::format_annotation, Shape::none},
    KeywordRow{"format", Vocabulary::format_assertion, Shape::none},
    KeywordRow{"contentEncoding", Vocabulary::content, Shape::none},
    KeywordRow{"contentMediaType", Vocabulary::content, Shape::none},
    KeywordRow{"contentSchema", Vocabulary::content, Shape::schema},
};

constexpr std::string_view kPrefix = "https://json-schema.org/draft/2020-12/vocab/";
constexpr std::array kVocabularies = {std::pair{std::string_view("core"), Vocabulary::core},
                                      std::pair{std::string_view("applicator"), Vocabulary::applicator},
                                      std::pair{std::string_view("unevaluated"), Vocabulary::unevaluated},
                                      std::pair{std::string_view("validation"), Vocabulary::validation},
                                      std::pair{std::string_view("meta-data"), Vocabulary::meta_data},
                                      std::pair{std::string_view("format-annotation"), Vocabulary::format_annotation},
                                      std::pair{std::string_view("format-assertion"), Vocabulary::format_assertion},
                                      std::pair{std::string_view("content"), Vocabulary::content}};

}  // namespace

Vocabularies Vocabularies::standard() {
  Vocabularies all;
  for (const auto& [name, one] : kVocabularies)
    if (one != Vocabulary::format_assertion) all.add(one);
  return all;
}

std::optional<Vocabulary> find_vocabulary(std::string_view uri) {
  if (!uri.starts_with(kPrefix)) return std::nullopt;
  const std::string_view wanted = uri.substr(kPrefix.size());
  for (const auto& [name, one] : kVocabularies)
    if (name == wanted) return one;
  return std::nullopt;
}

const KeywordRow* find_keyword(std::string_view name, const Vocabularies& dialect) {
  const auto* const row = std::ranges::find_if(
      kRows, [&](const KeywordRow& one) { return one.name == name && dialect.has(one.vocabulary); });
  return row == kRows.end() ? nullptr : &*row;
}

std::vector<std::string> keyword_names() {
  std::vector<std::string> names;
  for (const KeywordRow& row : kRows) names.emplace_back(row.name);
  return names;
}

}  // namespace stella::schema
