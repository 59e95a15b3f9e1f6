// SPDX-License-Identifier: Apache-2.0
// multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum. Integers are within 2^53, so doubles compare
// exactly.
#include <fmt/format.h>

#include <functional>

#include "appliance/schema/decimal.hpp"
#include "appliance/schema/site.hpp"

namespace stella::schema {
namespace {

template <class Holds>
void add_bound(Site& site, const char* keyword, const char* words, Holds holds) {
  const canon::Json* value = site.find(keyword);
  if (value == nullptr) return;
  const double bound = site.number(keyword, *value);
  site.add([=](Evaluation& evaluation, const Frame& frame) {
    return !frame.value().is_number() || holds(frame.value().get<double>(), bound) ||
           evaluation.fail(frame, keyword, [&] {
             return fmt::format("must be {} {}, not {}", words, shown(*value), shown(frame.value()));
           });
  });
}

}  // namespace

void add_number_assertions(Site& site) {
  add_bound(site, "minimum", "at least", std::greater_equal<>());
  add_bound(site, "maximum", "at most", std::less_equal<>());
  add_bound(site, "exclusiveMinimum", "more than", std::greater<>());
  add_bound(site, "exclusiveMaximum", "less than", std::less<>());
  const canon::Json* value = site.find("multipleOf");
  if (value == nullptr) return;
  const double divisor = site.number("multipleOf", *value);
  if (divisor <= 0) site.refuse("multipleOf", "`multipleOf` is a number above 0");
  add_bound(site, "multipleOf", "a multiple of", is_multiple);
}

}  // namespace stella::schema
