// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/reads.hpp"

#include <algorithm>
#include <optional>

namespace stella::expression {
namespace {

// Where a value comes from: a path of the context that nobody has read yet, or nothing when it was made, or when it
// lies inside a path that was read.
using Path = std::vector<std::string>;
using Origin = std::optional<Path>;

class Reader {
 public:
  Reads all(const Node& root) {
    read(visit(root, Path{}));
    return std::move(found_);
  }

 private:
  void read(const Origin& origin) {
    if (!origin) return;
    if (origin->empty())
      found_.everything = true;
    else if (std::ranges::find(found_.paths, *origin) == found_.paths.end())
      found_.paths.push_back(*origin);
  }

  Origin visit(const Node& node, const Origin& current) {
    switch (node.form) {
      case Form::current:
        return current;
      case Form::field: {
        Origin inside = current;
        if (inside) inside->push_back(node.name);
        return inside;
      }
      case Form::literal:
        return std::nullopt;
      case Form::chain: {
        Origin place = current;
        for (const auto& child : node.children) place = visit(*child, place);
        return place;
      }
      case Form::index:
        read(current);
        return std::nullopt;
      case Form::projection:
      case Form::values:
      case Form::filter:
      case Form::flatten:
      case Form::slice:
        return visit_projection(node, current);
      case Form::reference:  // it stands on elements of an argument, which is read whole
        read(visit(*node.children[0], std::nullopt));
        return std::nullopt;
      case Form::list:
      case Form::object:
        // They are null on null. The context itself never is.
        if (current && !current->empty()) read(current);
        [[fallthrough]];
      default:
        for (const auto& child : node.children) read(visit(*child, current));
        return std::nullopt;
    }
  }

  // What follows stands on elements of the list, which is read whole.
  Origin visit_projection(const Node& node, const Origin& current) {
    read(visit(*node.children[0], current));
    for (std::size_t i = 1; i < node.children.size(); ++i) read(visit(*node.children[i], std::nullopt));
    return std::nullopt;
  }

  Reads found_;
};

}  // namespace

Reads reads_of(const Node& root) {
  return Reader().all(root);
}

}  // namespace stella::expression
