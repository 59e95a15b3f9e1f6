// SPDX-License-Identifier: Apache-2.0
// One evaluation of an expression. Values are looked at where they are, in the context or in the expression; only what
// is made on the way is kept here. One thread; the context and the nodes outlive it.
#pragma once

#include <deque>
#include <string>

#include "appliance/expression/meter.hpp"
#include "appliance/expression/node.hpp"

namespace stella::expression {

struct Value {
  const canon::Json* seen = nullptr;
  canon::Json* own = nullptr;  // the same, when this evaluation made it and only this Value speaks of it

  [[nodiscard]] const canon::Json& operator*() const { return *seen; }
};

class Evaluation {
 public:
  explicit Evaluation(const std::string& at) : at_(at), meter_(at) {}

  Value of(const Node& node, const canon::Json& current);

  [[nodiscard]] Value make(canon::Json value);  // what it holds is the caller's to declare to the meter
  [[nodiscard]] static Value truth(bool value);
  [[nodiscard]] static Value null();
  // The value itself: moved when it was made here, else copied, which costs.
  [[nodiscard]] canon::Json take(Value value);
  // Deep equality, a step for each value that is compared.
  [[nodiscard]] bool same(const canon::Json& left, const canon::Json& right);

  struct Mark {
    std::size_t made, memory;
  };
  [[nodiscard]] Mark mark() const { return {made_.size(), meter_.memory_left()}; }
  // Frees what was made since the mark, of which nothing may speak any more. With `forget` it also costs nothing: for
  // when nothing of it was taken.
  enum class Costs { keep, forget };
  void rewind(Mark mark, Costs costs);

  [[nodiscard]] Meter& meter() { return meter_; }
  [[nodiscard]] const std::string& at() const { return at_; }

 private:
  Value chain(const Node& node, const canon::Json& current);
  Value project(const Node& node, const canon::Json& current);
  Value project_values(const Node& node, const canon::Json& current);
  Value filter(const Node& node, const canon::Json& current);
  Value flatten(const Node& node, const canon::Json& current);
  Value slice(const Node& node, const canon::Json& current);
  Value compare(Comparison how, const canon::Json& left, const canon::Json& right);
  Value list(const Node& node, const canon::Json& current);
  Value object(const Node& node, const canon::Json& current);
  Value call(const Node& node, const canon::Json& current);
  void collect(const Node& each, const canon::Json& element, canon::Json& into);

  const std::string& at_;
  Meter meter_;
  std::deque<canon::Json> made_;
};

}  // namespace stella::expression
