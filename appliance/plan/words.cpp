// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/expression/expression.hpp"

namespace stella::plan {
namespace {

using Names = std::vector<std::vector<std::string>>;

bool reads_inputs_only(const Names& names) {
  return std::ranges::all_of(names, [](const auto& path) { return path[0] == "inputs"; });
}

}  // namespace

Word fill(const std::string& text, const canon::Json& inputs, const std::string& at) {
  const auto words = expression::Template::parse(text, at);
  if (!words.has_holes()) return {text, false};
  if (!reads_inputs_only(words.names())) return {text, true};
  std::string filled = expression::text_of(words.evaluate({{"inputs", inputs}}));
  if (filled.find('\0') != filled.npos)
    throw fault::Error(fault::Code::pack_inputs, "nul", "an input with a NUL character cannot become an argument", at);
  if (filled.size() > kMaxWord)
    throw fault::Error(fault::Code::pack_inputs, "size",
                       fmt::format("an argument of {} bytes is too long, {} are possible", filled.size(), kMaxWord), at,
                       "Give large data as a `file` input; the step finds it at /inputs/NAME.");
  return {std::move(filled), false};
}

std::optional<bool> decide(const std::string& expression, const canon::Json& inputs, const std::string& at) {
  const auto parsed = expression::Expression::parse(expression, at);
  if (!reads_inputs_only(parsed.names())) return std::nullopt;
  return expression::is_true(parsed.evaluate({{"inputs", inputs}}));
}

}  // namespace stella::plan
