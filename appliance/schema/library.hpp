// SPDX-License-Identifier: Apache-2.0
// The documents of a schema: reads them in, finds every subschema, its identifiers and anchors, and what a reference
// names. Nothing is fetched: documents come from the caller's Find or are built in. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "appliance/schema/node.hpp"
#include "appliance/schema/schema.hpp"
#include "appliance/schema/uri.hpp"

namespace stella::schema {

class Library {
 public:
  Library(Program& program, const Options& options) : program_(program), options_(options) {}

  const Node& add_root(canon::Json json);
  struct Target {
    const Node* node = nullptr;
    std::string dynamic_anchor;  // not empty: found by this $dynamicAnchor
  };
  // What `reference`, the value of `keyword` in `from`, names.
  [[nodiscard]] Target resolve(const Node& from, const std::string& keyword, const std::string& reference);
  // The node of a subschema at a place that its keyword says is one.
  [[nodiscard]] const Node& at(const canon::Json& schema) const { return *nodes_.at(&schema); }
  // ERR_PACK_INVALID, reason `schema`, at the place of the keyword (or of the whole schema, for "").
  [[noreturn]] static void refuse(const Node& node, const std::string& keyword, const std::string& what);

 private:
  Resource& add_document(canon::Json json, const std::string& uri, const std::string& name);
  Node& scan(const canon::Json& json, const Node* parent, std::string step, Resource& resource);
  void scan_shape(const Node& node, const std::string& name, Shape shape, Resource& resource);
  void scan_below(const Node& node, const std::string& name, const canon::Json& value, Resource& resource);
  Resource& identify(Node& node, Resource& around);
  void read_anchors(Node& node, Resource& resource);
  void add_resource(const Node& node, const std::string& uri, Resource& resource);
  [[nodiscard]] Vocabularies read_dialect(const Node& node, const Resource& around);
  [[nodiscard]] Vocabularies find_dialect(const Node& node, const std::string& uri);
  [[nodiscard]] Resource* find_resource(const std::string& uri);
  [[nodiscard]] std::optional<std::string> find_text(const std::string& uri) const;
  [[nodiscard]] Node& find_pointer(const Node& from, const std::string& keyword, Resource& resource,
                                   const std::string& pointer);

  Program& program_;
  const Options& options_;
  std::unordered_map<const canon::Json*, Node*> nodes_;
  std::map<std::string, Resource*> resources_;
  std::map<std::string, Vocabularies> dialects_;
};

}  // namespace stella::schema
