// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/expression.hpp"

#include <deque>

#include "appliance/expression/node.hpp"
#include "appliance/expression/parser.hpp"
#include "appliance/expression/token.hpp"

namespace stella::expression {
namespace {

// Values are looked at where they are; only what is made on the way (truths, literals' copies) is kept here.
class Evaluation {
 public:
  explicit Evaluation(const canon::Json& context) : context_(context) {}

  const canon::Json& of(const Node& node) {
    switch (node.form) {
      case Form::literal:
        return node.value;
      case Form::field:
        return field(from(node), node.name);
      case Form::index:
        return element(from(node), node.index);
      case Form::negation:
        return truth(!is_true(of(*node.children[0])));
      case Form::either: {
        const canon::Json& left = of(*node.children[0]);
        return is_true(left) ? left : of(*node.children[1]);
      }
      case Form::both: {
        const canon::Json& left = of(*node.children[0]);
        return is_true(left) ? of(*node.children[1]) : left;
      }
      case Form::comparison:
        return compare(node.comparison, of(*node.children[0]), of(*node.children[1]));
    }
    return null_;
  }

 private:
  const canon::Json& from(const Node& node) { return node.children.empty() ? context_ : of(*node.children[0]); }

  const canon::Json& field(const canon::Json& value, const std::string& name) {
    if (!value.is_object()) return null_;
    const auto found = value.find(name);
    return found == value.end() ? null_ : *found;
  }

  const canon::Json& element(const canon::Json& value, long index) {
    if (!value.is_array()) return null_;
    const long size = static_cast<long>(value.size());
    const long place = index < 0 ? size + index : index;
    return place < 0 || place >= size ? null_ : value[static_cast<std::size_t>(place)];
  }

  const canon::Json& truth(bool value) { return made_.emplace_back(value); }

  // Order is defined for numbers only; anything else gives null (specification, "Ordering Operators").
  const canon::Json& compare(Comparison how, const canon::Json& left, const canon::Json& right) {
    if (how == Comparison::equal) return truth(left == right);
    if (how == Comparison::unequal) return truth(left != right);
    if (!left.is_number() || !right.is_number()) return null_;
    switch (how) {
      case Comparison::less:
        return truth(left < right);
      case Comparison::at_most:
        return truth(left <= right);
      case Comparison::greater:
        return truth(left > right);
      default:
        return truth(left >= right);
    }
  }

  const canon::Json& context_;
  const canon::Json null_ = nullptr;
  std::deque<canon::Json> made_;
};

// The path that a chain of fields spells from the context, as far as it is one: an index ends it.
struct Path {
  std::vector<std::string> parts;
  bool is_open = false;
};

class Names {
 public:
  std::vector<std::vector<std::string>> of(const Node& node) {
    visit(node);
    return std::move(found_);
  }

 private:
  void visit(const Node& node) {
    const Path path = path_of(node);
    if (!path.parts.empty()) found_.push_back(path.parts);
  }

  Path path_of(const Node& node) {
    if (node.form == Form::field) {
      Path path = node.children.empty() ? Path{{}, true} : path_of(*node.children[0]);
      if (path.is_open) path.parts.push_back(node.name);
      return path;
    }
    if (node.form == Form::index) {
      Path path = node.children.empty() ? Path{} : path_of(*node.children[0]);
      path.is_open = false;
      return path;
    }
    for (const auto& child : node.children) visit(*child);
    return {};
  }

  std::vector<std::vector<std::string>> found_;
};

}  // namespace

bool is_true(const canon::Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  return !value.is_null() && !((value.is_string() && value.get_ref<const std::string&>().empty()) ||
                               (value.is_structured() && value.empty()));
}

Expression Expression::parse(std::string_view text, const std::string& at) {
  Expression made;
  made.text_ = text;
  made.root_ = parse_nodes(tokenise(text, at), at);
  return made;
}

canon::Json Expression::evaluate(const canon::Json& context) const {
  return Evaluation(context).of(*root_);
}

std::vector<std::vector<std::string>> Expression::names() const {
  return Names().of(*root_);
}

}  // namespace stella::expression
