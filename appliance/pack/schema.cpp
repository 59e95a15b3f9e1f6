// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "appliance/pack/value_type.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::pack {

struct SchemaNode {
  std::optional<bool> constant;  // the schemas `true` and `false`
  std::vector<std::string> types;
  std::optional<canon::Json> allowed, exactly;  // enum, const
  std::unique_ptr<re2::RE2> pattern;
  std::optional<double> minimum, maximum;
  std::optional<std::uint64_t> min_length, max_length, min_items, max_items;
  std::vector<std::string> required;
  std::map<std::string, std::shared_ptr<const SchemaNode>, std::less<>> properties;
  std::shared_ptr<const SchemaNode> items, additional;
};

namespace {

using Node = std::shared_ptr<const SchemaNode>;
constexpr std::array kTypes = {"null", "boolean", "object", "array", "number", "string", "integer"};
constexpr std::array kAnnotations = {"$schema", "$id", "$comment", "title", "description", "examples", "default"};
constexpr std::array kKeywords = {
    "type",      "enum",     "const",    "pattern",  "minimum",    "maximum", "minLength",
    "maxLength", "minItems", "maxItems", "required", "properties", "items",   "additionalProperties"};
constexpr std::size_t kMaxViolations = 100;
constexpr std::int64_t kMaxPatternMemory = std::int64_t{1} << 20;  // bytes, for one compiled pattern

class Compiler {
 public:
  explicit Compiler(const std::string& name) : name_(name) {}

  Node compile(const canon::Json& schema, const std::string& pointer) {
    auto node = std::make_shared<SchemaNode>();
    if (schema.is_boolean()) {
      node->constant = schema.get<bool>();
      return node;
    }
    if (!schema.is_object()) fail(pointer, "a schema is a mapping, true or false");
    for (const auto& [keyword, value] : schema.items()) {
      const std::string place = pointer + yaml::pointer_step(keyword);
      if (std::ranges::find(kAnnotations, keyword) != kAnnotations.end()) continue;
      if (!read_assertion(*node, keyword, value, place) && !read_structure(*node, keyword, value, place))
        unknown(keyword, place);
    }
    return node;
  }

 private:
  [[noreturn]] void fail(const std::string& pointer, const std::string& what) const {
    throw fault::Error(fault::Code::pack_invalid, "schema", what, name_ + "#" + pointer);
  }

  [[noreturn]] void unknown(const std::string& keyword, const std::string& pointer) const {
    const auto near = canon::nearest(keyword, {kKeywords.begin(), kKeywords.end()});
    fail(pointer,
         fmt::format("keyword `{}` is not supported{}; it is refused because ignoring it would let values through",
                     canon::printable(keyword, 60), near ? fmt::format(" (did you mean `{}`?)", *near) : ""));
  }

  bool read_assertion(SchemaNode& node, const std::string& keyword, const canon::Json& value,
                      const std::string& place) {
    if (keyword == "type")
      node.types = types(value, place);
    else if (keyword == "enum")
      node.allowed = list(value, place);
    else if (keyword == "const")
      node.exactly = value;
    else if (keyword == "pattern")
      node.pattern = pattern(value, place);
    else if (keyword == "minimum")
      node.minimum = number(value, place);
    else if (keyword == "maximum")
      node.maximum = number(value, place);
    else if (keyword == "minLength")
      node.min_length = count(value, place);
    else if (keyword == "maxLength")
      node.max_length = count(value, place);
    else if (keyword == "minItems")
      node.min_items = count(value, place);
    else if (keyword == "maxItems")
      node.max_items = count(value, place);
    else
      return false;
    return true;
  }

  bool read_structure(SchemaNode& node, const std::string& keyword, const canon::Json& value,
                      const std::string& place) {
    if (keyword == "required") {
      for (const canon::Json& item : list(value, place)) {
        if (!item.is_string()) fail(place, "`required` is a list of names");
        node.required.push_back(item.get<std::string>());
      }
    } else if (keyword == "properties") {
      if (!value.is_object()) fail(place, "`properties` is a mapping of schemas");
      for (const auto& [name, schema] : value.items())
        node.properties[name] = compile(schema, place + yaml::pointer_step(name));
    } else if (keyword == "items") {
      node.items = compile(value, place);
    } else if (keyword == "additionalProperties") {
      node.additional = compile(value, place);
    } else {
      return false;
    }
    return true;
  }

  std::vector<std::string> types(const canon::Json& value, const std::string& place) const {
    std::vector<std::string> found;
    for (const canon::Json& item : value.is_array() ? value : canon::Json::array({value})) {
      if (!item.is_string() || std::ranges::find(kTypes, item.get<std::string>()) == kTypes.end())
        fail(place, fmt::format("`type` is one of {}, or a list of them", fmt::join(kTypes, ", ")));
      found.push_back(item.get<std::string>());
    }
    if (found.empty()) fail(place, "`type` is an empty list");
    return found;
  }

  const canon::Json& list(const canon::Json& value, const std::string& place) const {
    if (!value.is_array()) fail(place, "a list belongs here");
    return value;
  }

  double number(const canon::Json& value, const std::string& place) const {
    if (!value.is_number()) fail(place, "a number belongs here");
    return value.get<double>();
  }

  std::uint64_t count(const canon::Json& value, const std::string& place) const {
    if (!is_integral(value) || value < 0) fail(place, "a whole number from 0 belongs here");
    return static_cast<std::uint64_t>(value.get<double>());
  }

  std::unique_ptr<re2::RE2> pattern(const canon::Json& value, const std::string& place) const {
    if (!value.is_string()) fail(place, "`pattern` is text");
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxPatternMemory);
    auto compiled = std::make_unique<re2::RE2>(value.get<std::string>(), options);
    if (!compiled->ok())
      fail(place, fmt::format("RE2 does not read this pattern: {}", canon::printable(compiled->error(), 200)));
    return compiled;
  }

  const std::string& name_;
};

std::string shown(const canon::Json& value) {
  return canon::printable(canon::canonical(value), 80);
}

std::uint64_t characters(const std::string& text) {  // code points, as JSON Schema counts
  return static_cast<std::uint64_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool has_type(const canon::Json& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  return type == "integer" ? is_integral(value) : value.is_number();
}

class Checker {
 public:
  std::vector<Schema::Violation> check(const SchemaNode& node, const canon::Json& value) {
    visit(node, value, "");
    return std::move(found_);
  }

 private:
  void note(const std::string& pointer, std::string what) {
    if (found_.size() < kMaxViolations) found_.push_back({pointer, std::move(what)});
  }

  void visit(const SchemaNode& node, const canon::Json& value, const std::string& pointer) {
    if (node.constant) {
      if (!*node.constant) note(pointer, "is not allowed here");
      return;
    }
    check_value(node, value, pointer);
    if (value.is_string()) check_text(node, value.get_ref<const std::string&>(), pointer);
    if (value.is_number()) check_number(node, value, pointer);
    if (value.is_array()) check_array(node, value, pointer);
    if (value.is_object()) check_object(node, value, pointer);
  }

  void check_value(const SchemaNode& node, const canon::Json& value, const std::string& pointer) {
    if (!node.types.empty() &&
        std::ranges::none_of(node.types, [&](const std::string& type) { return has_type(value, type); }))
      note(pointer, fmt::format("must be of type {}, not {}", fmt::join(node.types, " or "), shown(value)));
    if (node.allowed && std::ranges::find(*node.allowed, value) == node.allowed->end())
      note(pointer, fmt::format("must be one of {}, not {}", shown(*node.allowed), shown(value)));
    if (node.exactly && *node.exactly != value)
      note(pointer, fmt::format("must be {}, not {}", shown(*node.exactly), shown(value)));
  }

  void check_text(const SchemaNode& node, const std::string& text, const std::string& pointer) {
    if (node.pattern && !re2::RE2::PartialMatch(text, *node.pattern))
      note(pointer,
           fmt::format("must match {}, which {} does not", canon::printable(node.pattern->pattern(), 80), shown(text)));
    check_count(characters(text), node.min_length, node.max_length, "characters", pointer);
  }

  void check_number(const SchemaNode& node, const canon::Json& value, const std::string& pointer) {
    if (node.minimum && value.get<double>() < *node.minimum)
      note(pointer, fmt::format("must be at least {}, not {}", *node.minimum, shown(value)));
    if (node.maximum && value.get<double>() > *node.maximum)
      note(pointer, fmt::format("must be at most {}, not {}", *node.maximum, shown(value)));
  }

  void check_array(const SchemaNode& node, const canon::Json& value, const std::string& pointer) {
    check_count(value.size(), node.min_items, node.max_items, "items", pointer);
    if (!node.items) return;
    for (std::size_t i = 0; i < value.size(); ++i) visit(*node.items, value[i], fmt::format("{}/{}", pointer, i));
  }

  void check_object(const SchemaNode& node, const canon::Json& value, const std::string& pointer) {
    for (const std::string& name : node.required)
      if (!value.contains(name)) note(pointer, fmt::format("must have `{}`", canon::printable(name, 60)));
    for (const auto& [name, member] : value.items()) {
      const auto known = node.properties.find(name);
      const std::string place = pointer + yaml::pointer_step(name);
      if (known != node.properties.end())
        visit(*known->second, member, place);
      else if (node.additional)
        visit(*node.additional, member, place);
    }
  }

  void check_count(std::uint64_t have, std::optional<std::uint64_t> min, std::optional<std::uint64_t> max,
                   std::string_view what, const std::string& pointer) {
    if (min && have < *min) note(pointer, fmt::format("must have at least {} {}, not {}", *min, what, have));
    if (max && have > *max) note(pointer, fmt::format("must have at most {} {}, not {}", *max, what, have));
  }

  std::vector<Schema::Violation> found_;
};

}  // namespace

Schema Schema::compile(const canon::Json& schema, const std::string& name) {
  Schema made;
  made.root_ = Compiler(name).compile(schema, "");
  return made;
}

Schema Schema::parse(std::string_view text, const std::string& name) {
  return compile(canon::parse_json(text, fault::Code::pack_invalid, name, std::size_t{1} << 20), name);
}

std::vector<Schema::Violation> Schema::check(const canon::Json& value) const {
  return Checker().check(*root_, value);
}

}  // namespace stella::pack
