// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stella::plan {

std::string argument(const canon::Json& value, fault::Code code, const std::string& at) {
  std::string text = expression::text_of(value);
  if (text.find('\0') != text.npos)
    throw fault::Error(code, "nul", "a value with a NUL character cannot become an argument", at);
  if (text.size() > kMaxWord)
    throw fault::Error(code, "size",
                       fmt::format("an argument of {} bytes is too long, {} are possible", text.size(), kMaxWord), at,
                       "Give large data as a `file` input; the step finds it at /inputs/NAME.");
  return text;
}

void Known::enter(const Turn& turn) {
  context_[turn.iterator] = turn.item;
  if (!turn.index.empty()) context_[turn.index] = turn.number;
}

void Known::leave(const Turn& turn) {
  context_.erase(turn.iterator);
  if (!turn.index.empty()) context_.erase(turn.index);
}

// Takes the inputs that are read into the context.
bool Known::has(const Names& names) {
  if (!std::ranges::all_of(names, [&](const auto& path) { return context_.contains(path[0]); })) return false;
  for (const auto& path : names) {
    if (path[0] != "inputs") continue;
    if (path.size() == 1)
      context_["inputs"] = inputs_;
    else if (!context_["inputs"].contains(path[1]) && inputs_.contains(path[1]))
      context_["inputs"][path[1]] = inputs_[path[1]];
  }
  return true;
}

Word Known::fill(const std::string& text, const std::string& at) {
  if (text.find("${{") == std::string::npos) return {text, false};
  auto found = templates_.find(text);
  if (found == templates_.end()) found = templates_.emplace(text, expression::Template::parse(text, at)).first;
  if (!has(found->second.names())) return {text, true};
  return {argument(found->second.evaluate(context_), code_, at), false};
}

std::optional<canon::Json> Known::value(const std::string& text, const std::string& at) {
  auto found = expressions_.find(text);
  if (found == expressions_.end()) found = expressions_.emplace(text, expression::Expression::parse(text, at)).first;
  if (!has(found->second.names())) return std::nullopt;
  return found->second.evaluate(context_);
}

std::optional<bool> Known::decide(const std::string& text, const std::string& at) {
  const auto found = value(text, at);
  return found ? std::optional(expression::is_true(*found)) : std::nullopt;
}

}  // namespace stella::plan
