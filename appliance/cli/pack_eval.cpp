// SPDX-License-Identifier: Apache-2.0
// pack eval: one expression on standard input, or a batch of them, for a pack's author.
#include <fmt/format.h>

#include <algorithm>

#include "appliance/cli/command.hpp"
#include "appliance/expression/expression.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxJson = std::uint64_t{16} << 20;   // bytes of a JSON document
constexpr std::uint64_t kMaxLines = std::uint64_t{64} << 20;  // bytes of a batch

// One line of a batch: {"expression": TEXT, "context": JSON} gives {"result": JSON} or {"error": {reason, message,
// at}}.
Json evaluate_line(std::string_view line, std::size_t number) {
  const std::string at = fmt::format("standard input:{}", number);
  const Json request = canon::parse_json(line, Code::usage, at);
  canon::Fields fields(request, Code::usage, "line", at);
  const std::string text = fields.text("expression");
  const Json& context = fields.any("context");
  fields.finish();
  try {
    return {{"result", expression::Expression::parse(text, {}).evaluate(context)}};
  } catch (const Error& error) {
    return {{"error", {{"reason", error.reason()}, {"message", error.what()}, {"at", error.at()}}}};
  }
}

int evaluate_lines(Invocation& call) {
  const std::string text = call.read_argument("-", kMaxLines);
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    call.out().raw(canon::canonical(evaluate_line(rest.substr(0, end), ++number)) + "\n");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}

// The result stands alone, whatever the format: it is JSON already.
int evaluate(Invocation& call) {
  if (call.flag("--lines")) return evaluate_lines(call);
  const auto parsed = expression::Expression::parse(call.need("EXPRESSION"), {});
  const Json context = canon::parse_json(call.read_argument("-", kMaxJson), Code::usage, "standard input", kMaxJson);
  call.out().raw(canon::canonical(parsed.evaluate(context)) + "\n");
  return 0;
}

}  // namespace

std::vector<Command> pack_eval_commands() {
  return {{{"pack", "eval"},
           "evaluate an expression on JSON from standard input",
           "echo '{\"a\":1}' | stella pack eval 'a == `1`'",
           {{"EXPRESSION", "a JMESPath expression", false}},
           {{"--lines", "", "read {\"expression\", \"context\"} objects, one a line, and answer each on a line"}},
           evaluate}};
}

}  // namespace stella::cli
