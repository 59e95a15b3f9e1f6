// SPDX-License-Identifier: Apache-2.0
// What a schema is compiled into: nodes, one for each subschema, with the keywords that it checks. Inside this room
// only; immutable once a Program is made.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "appliance/schema/pattern.hpp"
#include "appliance/schema/vocabulary.hpp"
#include "bundles/canon/json.hpp"

namespace stella::schema {

class Evaluation;
struct Frame;
struct Node;

class Keyword {
 public:
  Keyword() = default;
  Keyword(const Keyword&) = delete;
  Keyword& operator=(const Keyword&) = delete;
  virtual ~Keyword() = default;
  // Whether the value keeps it; each violation is noted when somebody listens.
  [[nodiscard]] virtual bool check(Evaluation& evaluation, const Frame& frame) const = 0;
};

struct Document {
  std::string name;
  canon::Json json;
};

// A schema with an identifier of its own: the root of a document, or a subschema with $id.
struct Resource {
  std::string uri;  // without fragment; relative when nothing gave an absolute base
  const Document* document = nullptr;
  const canon::Json* root = nullptr;
  Vocabularies vocabularies;
  std::map<std::string, const Node*, std::less<>> anchors, dynamic_anchors;  // every dynamic anchor is an anchor too
};

struct Node {
  const canon::Json* json = nullptr;
  Resource* resource = nullptr;
  const Node* parent = nullptr;  // the schema around it, in the same document
  std::string step;              // pointer from there
  std::optional<bool> constant;  // the schemas `true` and `false`
  std::vector<std::unique_ptr<Keyword>> keywords;
  bool wants_seen = false;  // it has unevaluatedProperties or unevaluatedItems
};

[[nodiscard]] std::string pointer_of(const Node& node);   // from the root of its document
[[nodiscard]] std::string location_of(const Node& node);  // `document#/pointer`

struct Program {
  std::deque<Document> documents;
  std::deque<Resource> resources;
  std::deque<Node> nodes;
  Patterns patterns;
  const Node* root = nullptr;
};

}  // namespace stella::schema
