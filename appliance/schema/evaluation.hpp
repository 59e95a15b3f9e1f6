// SPDX-License-Identifier: Apache-2.0
// One check of one value: where it is, what was noted, what it may still cost. One thread.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "appliance/schema/node.hpp"
#include "appliance/schema/schema.hpp"

namespace stella::schema {

// A value and the way to it. Spots live on the stack of the check.
struct Spot {
  enum class Kind { root, member, item, name };  // name: the text is a member's name, not its value
  const canon::Json& value;
  const Spot* parent = nullptr;
  Kind kind = Kind::root;
  std::string_view name = {};
  std::size_t index = 0;
};
[[nodiscard]] std::string pointer_of(const Spot& spot);

// Members and items that some keyword has evaluated, by their address: what unevaluated... looks at.
using Seen = std::unordered_set<const canon::Json*>;

struct Sink {
  std::size_t limit = kMaxViolations;
  std::vector<Violation> violations;
  bool has_more = false;
};

// What a keyword is checked with. Without `sink` only the verdict matters and a check may stop early; without `seen`
// nobody asks what was evaluated.
struct Frame {
  const Node& node;
  const Spot& spot;
  Seen* seen;
  Sink* sink;
  [[nodiscard]] const canon::Json& value() const { return spot.value; }
  void mark(const canon::Json& child) const {
    if (seen != nullptr) seen->insert(&child);
  }
};

class Evaluation {
 public:
  Evaluation(const Program& program, const canon::Json& value);
  [[nodiscard]] bool run(const Node& node, const Spot& spot, Seen* seen, Sink* sink);
  // Takes from the budget; throws ERR_PACK_INVALID, reason `schema`, when it is used up.
  void charge(std::size_t steps);
  void charge_match(const Pattern& pattern, std::string_view text) { charge(1 + text.size() * pattern.weight() / 64); }
  void merge(Seen& into, const Seen& from);
  // The schema that a $dynamicRef to `anchor` means here: of the outermost resource that has it.
  [[nodiscard]] const Node* find_dynamic(std::string_view anchor);
  // false, after `what` was noted for the keyword of the frame's schema (and only written when somebody listens).
  template <class Write>
  [[nodiscard]] bool fail(const Frame& frame, std::string_view keyword, const Write& write) {
    if (frame.sink != nullptr) note(frame, keyword, write());
    return false;
  }

 private:
  class Entered;
  void note(const Frame& frame, std::string_view keyword, std::string what);
  [[noreturn]] void refuse(const Node& node, const std::string& what) const;

  struct Active {
    const Node* node;
    const canon::Json* value;
  };
  std::vector<Active> active_;
  std::vector<const Resource*> scope_;
  const Node* current_ = nullptr;
  std::size_t budget_;
};

// A value as a message shows it: short, and cheap however large the value is.
[[nodiscard]] std::string shown(const canon::Json& value);

// What comparing with this value, or sorting it, may cost.
[[nodiscard]] std::size_t weight(const canon::Json& value);

}  // namespace stella::schema
