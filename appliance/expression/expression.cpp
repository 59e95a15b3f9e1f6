// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/expression.hpp"

#include "appliance/expression/evaluation.hpp"
#include "appliance/expression/parser.hpp"
#include "appliance/expression/reads.hpp"
#include "appliance/expression/token.hpp"

namespace stella::expression {

bool is_true(const canon::Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  return !value.is_null() && !((value.is_string() && value.get_ref<const std::string&>().empty()) ||
                               (value.is_structured() && value.empty()));
}

Expression Expression::parse(std::string_view text, const std::string& at) {
  Expression made;
  made.text_ = text;
  made.at_ = at;
  made.root_ = parse_nodes(tokenise(text, at), at);
  const Reads reads = reads_of(*made.root_);
  made.names_ = reads.paths;
  made.reads_everything_ = reads.everything;
  return made;
}

canon::Json Expression::evaluate(const canon::Json& context) const {
  Evaluation evaluation(at_);
  const Value result = evaluation.of(*root_, context);
  (void)evaluation.meter().measure(*result, kMaxResult);
  return evaluation.take(result);
}

}  // namespace stella::expression
