// SPDX-License-Identifier: Apache-2.0
// One subschema while its keywords are compiled: reads their values and takes the checks. One thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "appliance/schema/evaluation.hpp"
#include "appliance/schema/library.hpp"

namespace stella::schema {

class Site {
 public:
  Site(Node& node, Library& library, Program& program, Formats formats)
      : node_(node), library_(library), program_(program), formats_(formats) {}

  // The keyword's value; nullptr when it is not there or not of this dialect.
  [[nodiscard]] const canon::Json* find(const char* keyword) const;
  [[nodiscard]] bool asserts_formats() const;
  // The following refuse a value of another kind at its place.
  [[nodiscard]] double number(const char* keyword, const canon::Json& value) const;
  [[nodiscard]] std::uint64_t count(const char* keyword, const canon::Json& value) const;
  [[nodiscard]] const std::string& text(const char* keyword, const canon::Json& value) const;
  [[nodiscard]] bool truth(const char* keyword, const canon::Json& value) const;
  [[nodiscard]] std::vector<std::string> names(const char* keyword, const canon::Json& value) const;
  [[nodiscard]] const Pattern& pattern(const char* keyword, const std::string& source) const;
  [[noreturn]] void refuse(const char* keyword, const std::string& what) const;

  [[nodiscard]] const Node* subschema(const char* keyword) const;  // nullptr when there is none
  [[nodiscard]] std::vector<const Node*> subschemas(const char* keyword) const;
  [[nodiscard]] const Node& at(const canon::Json& schema) const { return library_.at(schema); }
  [[nodiscard]] Library::Target resolve(const char* keyword) const;

  // `check(Evaluation&, const Frame&)` says whether the value keeps the keyword.
  template <class Check>
  void add(Check check) {
    class Made : public Keyword {
     public:
      explicit Made(Check given) : check_(std::move(given)) {}
      bool check(Evaluation& evaluation, const Frame& frame) const override { return check_(evaluation, frame); }

     private:
      Check check_;
    };
    node_.keywords.push_back(std::make_unique<Made>(std::move(check)));
  }
  void want_seen() { node_.wants_seen = true; }

 private:
  Node& node_;
  Library& library_;
  Program& program_;
  Formats formats_;
};

void add_value_assertions(Site& site);      // type const enum format
void add_number_assertions(Site& site);     // multipleOf maximum minimum ...
void add_text_assertions(Site& site);       // maxLength minLength pattern
void add_container_assertions(Site& site);  // maxItems ... uniqueItems, maxProperties ... required
void add_members(Site& site);               // properties patternProperties additionalProperties propertyNames
void add_items(Site& site);                 // prefixItems items contains
void add_references(Site& site);            // $ref $dynamicRef
void add_choices(Site& site);               // allOf anyOf oneOf not if dependentSchemas
void add_unevaluated(Site& site);           // unevaluatedItems unevaluatedProperties; after all others

// Turns every subschema that the library has found, and those found on the way, into checks.
void compile_all(Program& program, Library& library, Formats formats);

}  // namespace stella::schema
