// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/library.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/schema/metaschemas.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::schema {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxNodes = 20000, kMaxResources = 1000, kMaxUri = 2048;

bool is_anchor(std::string_view name) {
  const auto is_first = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && is_first(name[0]) && std::ranges::all_of(name, [&](char c) {
    return is_first(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

const std::string& text_at(const Node& node, const std::string& keyword) {
  const canon::Json& value = (*node.json)[keyword];
  if (!value.is_string()) Library::refuse(node, keyword, fmt::format("`{}` is text", keyword));
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > kMaxUri) Library::refuse(node, keyword, fmt::format("`{}` may have 2,048 bytes at most", keyword));
  return text;
}

const canon::Json* step_into(const canon::Json& json, const std::string& token) {
  if (json.is_object()) {
    const auto found = json.find(token);
    return found == json.end() ? nullptr : &*found;
  }
  const bool is_index = !token.empty() && token.size() < 10 && (token == "0" || token[0] != '0') &&
                        std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
  if (!json.is_array() || !is_index) return nullptr;
  const auto index = static_cast<std::size_t>(std::stoul(token));
  return index < json.size() ? &json[index] : nullptr;
}

std::string unescaped(std::string_view token) {  // RFC 6901
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool is_escape = token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1');
    out += !is_escape ? token[i] : token[++i] == '0' ? '~' : '/';
  }
  return out;
}

}  // namespace

std::string pointer_of(const Node& node) {
  return node.parent == nullptr ? node.step : pointer_of(*node.parent) + node.step;
}

std::string location_of(const Node& node) {
  return node.resource->document->name + "#" + pointer_of(node);
}

void Library::refuse(const Node& node, const std::string& keyword, const std::string& what) {
  const std::string step = keyword.empty() ? "" : yaml::pointer_step(keyword);
  throw fault::Error(fault::Code::pack_invalid, "schema", what, canon::printable(location_of(node) + step, 300));
}

const Node& Library::add_root(canon::Json json) {
  return at(*add_document(std::move(json), options_.base, options_.name).root);
}

Resource& Library::add_document(canon::Json json, const std::string& uri, const std::string& name) {
  const Document& document = program_.documents.emplace_back(Document{name, std::move(json)});
  Resource& resource = program_.resources.emplace_back();
  resource.uri = uri;
  resource.document = &document;
  resource.root = &document.json;
  resource.vocabularies = Vocabularies::standard();
  resources_[uri] = &resource;
  (void)scan(document.json, nullptr, "", resource);
  return resource;
}

Node& Library::scan(const canon::Json& json, const Node* parent, std::string step, Resource& around) {
  Node& node = program_.nodes.emplace_back();
  node.json = &json;
  node.parent = parent;
  node.step = std::move(step);
  node.resource = &around;
  nodes_[&json] = &node;
  if (program_.nodes.size() > kMaxNodes) refuse(node, "", "the schema has more than 20,000 subschemas");
  if (json.is_boolean()) {
    node.constant = json.get<bool>();
    return node;
  }
  if (!json.is_object()) refuse(node, "", "a schema is a mapping, true or false");
  Resource& resource = identify(node, around);
  read_anchors(node, resource);
  for (const auto& [name, value] : json.get_ref<const canon::Json::object_t&>()) {
    if (const KeywordRow* row = find_keyword(name, resource.vocabularies)) {
      scan_shape(node, name, row->shape, resource);
    } else if (options_.unknown == Unknown::refused && !name.starts_with("x-")) {
      const auto near = canon::nearest(name, keyword_names());
      refuse(node, name,
             fmt::format("no keyword is called `{}`{}; it is refused because ignoring it would let values through",
                         canon::printable(name, 60), near ? fmt::format(" (did you mean `{}`?)", *near) : ""));
    }
  }
  return node;
}

void Library::scan_shape(const Node& node, const std::string& name, Shape shape, Resource& resource) {
  const canon::Json& value = (*node.json)[name];
  if (shape == Shape::schema) scan_below(node, yaml::pointer_step(name), value, resource);
  if (shape == Shape::list) {
    if (!value.is_array() || value.empty()) refuse(node, name, fmt::format("`{}` is a list of schemas", name));
    for (std::size_t i = 0; i < value.size(); ++i) scan_below(node, fmt::format("/{}/{}", name, i), value[i], resource);
  }
  if (shape == Shape::members || shape == Shape::dependencies) {
    if (!value.is_object()) refuse(node, name, fmt::format("`{}` is a mapping of schemas", name));
    for (const auto& [key, below] : value.get_ref<const canon::Json::object_t&>())
      if (shape == Shape::members || !below.is_array())
        scan_below(node, yaml::pointer_step(name) + yaml::pointer_step(key), below, resource);
  }
}

void Library::scan_below(const Node& node, const std::string& step, const canon::Json& value, Resource& resource) {
  (void)scan(value, &node, step, resource);
}

// A subschema with $id is a resource of its own; so is every document.
Resource& Library::identify(Node& node, Resource& around) {
  const bool has_id = node.json->contains("$id"), is_document = node.parent == nullptr;
  Resource* resource = &around;
  if (has_id) {
    Uri uri = resolve_uri(split_uri(around.uri), split_uri(text_at(node, "$id")));
    if (uri.fragment && !uri.fragment->empty()) refuse(node, "$id", "`$id` has no fragment; use `$anchor` for a name");
    uri.fragment.reset();
    if (!is_document) {
      if (program_.resources.size() >= kMaxResources) refuse(node, "$id", "more than 1,000 subschemas have an `$id`");
      resource = &program_.resources.emplace_back();
      resource->document = around.document;
      resource->root = node.json;
      resource->vocabularies = around.vocabularies;
    }
    resource->uri = uri.text();
    add_resource(node, resource->uri, *resource);
  }
  node.resource = resource;
  if ((has_id || is_document) && node.json->contains("$schema")) resource->vocabularies = read_dialect(node, *resource);
  return *resource;
}

void Library::add_resource(const Node& node, const std::string& uri, Resource& resource) {
  const auto [place, is_new] = resources_.emplace(uri, &resource);
  if (is_new || place->second == &resource) return;
  refuse(node, "$id", fmt::format("two schemas have the `$id` {}", canon::printable(uri, 200)));
}

void Library::read_anchors(Node& node, Resource& resource) {
  for (const char* keyword : {"$anchor", "$dynamicAnchor"}) {
    if (!node.json->contains(keyword)) continue;
    const std::string& name = text_at(node, keyword);
    if (!is_anchor(name)) refuse(node, keyword, fmt::format("`{}` is a name: letters, digits, `-`, `_`, `.`", keyword));
    const auto [place, is_new] = resource.anchors.emplace(name, &node);
    if (!is_new && place->second != &node)
      refuse(node, keyword, fmt::format("the anchor `{}` is there twice", canon::printable(name, 60)));
    if (std::string_view(keyword) == "$dynamicAnchor") resource.dynamic_anchors.emplace(name, &node);
  }
}

Vocabularies Library::read_dialect(const Node& node, const Resource& around) {
  Uri uri = resolve_uri(split_uri(around.uri), split_uri(text_at(node, "$schema")));
  if (uri.fragment && uri.fragment->empty()) uri.fragment.reset();
  const std::string name = uri.text();
  if (name == kStandardDialect) return Vocabularies::standard();
  if (const auto known = dialects_.find(name); known != dialects_.end()) return known->second;
  return dialects_[name] = find_dialect(node, name);
}

// A metaschema's own $vocabulary says which keywords its schemas have.
Vocabularies Library::find_dialect(const Node& node, const std::string& uri) {
  const auto text = find_text(uri);
  if (!text)
    refuse(node, "$schema",
           fmt::format("the schema is written for {}, which is not at hand; what is read is JSON Schema 2020-12 ({})",
                       canon::printable(uri, 200), kStandardDialect));
  const canon::Json json = canon::parse_json(*text, fault::Code::pack_invalid, canon::printable(uri, 200), kMaxBytes);
  if (!json.is_object() || !json.contains("$vocabulary")) return Vocabularies::standard();
  const canon::Json& list = json["$vocabulary"];
  if (!list.is_object()) refuse(node, "$schema", "the `$vocabulary` of that metaschema is not a mapping");
  Vocabularies dialect;
  dialect.add(Vocabulary::core);
  for (const auto& [name, required] : list.items()) {
    if (const auto known = find_vocabulary(name))
      dialect.add(*known);
    else if (!required.is_boolean() || required.get<bool>())
      refuse(node, "$schema",
             fmt::format("that metaschema requires a vocabulary that stella does not have: {}",
                         canon::printable(name, 200)));
  }
  return dialect;
}

std::optional<std::string> Library::find_text(const std::string& uri) const {
  if (const auto built_in = find_metaschema(uri)) return std::string(*built_in);
  return options_.find ? options_.find(uri) : std::nullopt;
}

Resource* Library::find_resource(const std::string& uri) {
  if (const auto known = resources_.find(uri); known != resources_.end()) return known->second;
  if (program_.documents.size() >= kMaxResources) return nullptr;
  const auto text = find_text(uri);
  if (!text) return nullptr;
  const std::string name = canon::printable(uri, 200);
  return &add_document(canon::parse_json(*text, fault::Code::pack_invalid, name, kMaxBytes), uri, name);
}

Library::Target Library::resolve(const Node& from, const std::string& keyword, const std::string& reference) {
  if (reference.size() > kMaxUri) refuse(from, keyword, fmt::format("`{}` may have 2,048 bytes at most", keyword));
  Uri uri = resolve_uri(split_uri(from.resource->uri), split_uri(reference));
  const auto fragment = decode_percent(uri.fragment.value_or(""));
  if (!fragment) refuse(from, keyword, fmt::format("`{}` has a broken `%` escape", canon::printable(reference, 200)));
  uri.fragment.reset();
  Resource* resource = find_resource(uri.text());
  if (resource == nullptr)
    refuse(from, keyword,
           fmt::format("`{}` names {}, which is not at hand, and nothing is ever fetched",
                       canon::printable(reference, 200), canon::printable(uri.text(), 200)));
  if (fragment->empty()) return {nodes_.at(resource->root), {}};
  if (fragment->starts_with('/')) return {&find_pointer(from, keyword, *resource, *fragment), {}};
  const auto found = resource->anchors.find(*fragment);
  if (found == resource->anchors.end())
    refuse(from, keyword, fmt::format("`{}` names an anchor that is not there", canon::printable(reference, 200)));
  return {found->second, resource->dynamic_anchors.contains(*fragment) ? *fragment : ""};
}

// A pointer may lead through keywords that nobody knows; what is there is taken for a schema of the one around it.
Node& Library::find_pointer(const Node& from, const std::string& keyword, Resource& resource,
                            const std::string& pointer) {
  const canon::Json* json = resource.root;
  Node* nearest = nodes_.at(json);
  std::string step;
  for (std::size_t start = 1; start <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', start), pointer.size());
    const std::string token = unescaped(std::string_view(pointer).substr(start, end - start));
    json = step_into(*json, token);
    if (json == nullptr)
      refuse(from, keyword,
             fmt::format("`#{}` names nothing in {}", canon::printable(pointer, 200),
                         resource.uri.empty() ? "this schema" : canon::printable(resource.uri, 200)));
    step += yaml::pointer_step(token);
    start = end + 1;
    if (const auto known = nodes_.find(json); known != nodes_.end()) {
      nearest = known->second;
      step.clear();
    }
  }
  return step.empty() ? *nearest : scan(*json, nearest, step, *nearest->resource);
}

}  // namespace stella::schema
