// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::schema {
namespace {

constexpr std::size_t kBaseBudget = 200000;  // steps; about 0.1 µs each
constexpr std::size_t kStepsPerValue = 100, kStepsPerByte = 8;
constexpr std::size_t kMaxActive = 512;  // schemas within schemas while checking: bounds the stack
constexpr std::size_t kMaxPointer = 4096;

// What checking a value of this size may cost.
std::size_t allowance(const canon::Json& value) {
  if (value.is_string()) return kStepsPerValue + kStepsPerByte * value.get_ref<const std::string&>().size();
  std::size_t sum = kStepsPerValue;
  if (value.is_object())
    for (const auto& [name, member] : value.get_ref<const canon::Json::object_t&>())
      sum += kStepsPerByte * name.size() + allowance(member);
  if (value.is_array())
    for (const canon::Json& item : value) sum += allowance(item);
  return sum;
}

// Whether the value has at most `left` values and bytes of text; stops counting when it has more.
bool is_small(const canon::Json& value, std::size_t& left) {
  const std::size_t own = 4 + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  if (left < own) return false;
  left -= own;
  if (value.is_object())
    return std::ranges::all_of(value.get_ref<const canon::Json::object_t&>(), [&](const auto& member) {
      if (left < member.first.size()) return false;
      left -= member.first.size();
      return is_small(member.second, left);
    });
  return !value.is_array() || std::ranges::all_of(value, [&](const canon::Json& item) { return is_small(item, left); });
}

void append_pointer(const Spot& spot, std::string& out) {
  if (spot.parent != nullptr) append_pointer(*spot.parent, out);
  if (spot.kind == Spot::Kind::item) out += fmt::format("/{}", spot.index);
  if (spot.kind == Spot::Kind::member || spot.kind == Spot::Kind::name) out += yaml::pointer_step(spot.name);
}

}  // namespace

std::string pointer_of(const Spot& spot) {
  std::string out;
  append_pointer(spot, out);
  if (out.size() > kMaxPointer) out.resize(kMaxPointer);
  return out;
}

std::string shown(const canon::Json& value) {
  std::size_t left = 400;
  if (is_small(value, left)) return canon::printable(canon::canonical(value), 80);
  if (value.is_object()) return fmt::format("a mapping of {} members", value.size());
  if (value.is_array()) return fmt::format("a list of {} items", value.size());
  return fmt::format("a text of {} bytes", value.get_ref<const std::string&>().size());
}

// A schema that is being checked: on the stack of active ones, and its resource in the dynamic scope.
class Evaluation::Entered {
 public:
  Entered(Evaluation& owner, const Node& node, const canon::Json& value) : owner_(owner), before_(owner.current_) {
    owner_.current_ = &node;
    owner_.active_.push_back({&node, &value});
    enters_ = owner_.scope_.empty() || owner_.scope_.back() != node.resource;
    if (enters_) owner_.scope_.push_back(node.resource);
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered() {
    if (enters_) owner_.scope_.pop_back();
    owner_.active_.pop_back();
    owner_.current_ = before_;
  }

 private:
  Evaluation& owner_;
  const Node* before_;
  bool enters_ = false;
};

Evaluation::Evaluation(const Program& program, const canon::Json& value)
    : current_(program.root), budget_(kBaseBudget + allowance(value)) {}

bool Evaluation::run(const Node& node, const Spot& spot, Seen* seen, Sink* sink) {
  charge(1);
  if (node.constant) {
    const Frame frame{node, spot, nullptr, sink};
    return *node.constant || fail(frame, "", [] { return std::string("is not allowed here"); });
  }
  for (auto one = active_.rbegin(); one != active_.rend() && one->value == &spot.value; ++one)
    if (one->node == &node)
      refuse(node, "references run in a circle: the schema is applied to a value while it checks that value");
  if (active_.size() >= kMaxActive)
    refuse(node, fmt::format("schemas refer to each other more than {} deep for one value", kMaxActive));
  const Entered entered(*this, node, spot.value);
  Seen own;
  const Frame frame{node, spot, node.wants_seen || seen != nullptr ? &own : nullptr, sink};
  bool good = true;
  for (const auto& keyword : node.keywords) {
    charge(1);
    if (keyword->check(*this, frame)) continue;
    good = false;
    if (sink == nullptr) return false;
  }
  // A failed schema evaluates nothing. Where violations are listed it is counted all the same, so that each member is
  // not reported once more as unevaluated; the verdict stays.
  if (seen != nullptr) merge(*seen, own);
  return good;
}

void Evaluation::charge(std::size_t steps) {
  if (steps > budget_) refuse(*current_, "the schema takes too many steps for this value");
  budget_ -= steps;
}

void Evaluation::merge(Seen& into, const Seen& from) {
  charge(from.size());
  into.insert(from.begin(), from.end());
}

const Node* Evaluation::find_dynamic(std::string_view anchor) {
  charge(1 + scope_.size());
  for (const Resource* resource : scope_)
    if (const auto found = resource->dynamic_anchors.find(anchor); found != resource->dynamic_anchors.end())
      return found->second;
  return nullptr;
}

void Evaluation::note(const Frame& frame, std::string_view keyword, std::string what) {
  charge(16);
  if (frame.sink->violations.size() >= frame.sink->limit) {
    frame.sink->has_more = true;
    return;
  }
  Violation violation{pointer_of(frame.spot), location_of(frame.node), std::string(keyword), {}, std::move(what)};
  if (frame.spot.kind == Spot::Kind::name) violation.what = "has a name that " + violation.what;
  if (!keyword.empty()) {
    violation.schema += "/" + violation.keyword;
    violation.wanted = shown((*frame.node.json)[violation.keyword]);
  }
  frame.sink->violations.push_back(std::move(violation));
}

void Evaluation::refuse(const Node& node, const std::string& what) const {
  throw fault::Error(fault::Code::pack_invalid, "schema", what, canon::printable(location_of(node), 300),
                     "Write the schema so that each reference leads on and no choice is tried over and over.");
}

std::size_t weight(const canon::Json& value) {
  if (value.is_string()) return 1 + value.get_ref<const std::string&>().size() / 64;
  std::size_t sum = 1;
  if (value.is_structured())
    for (const canon::Json& child : value) sum += weight(child);
  return sum;
}

}  // namespace stella::schema
