// SPDX-License-Identifier: Apache-2.0
// maxLength, minLength (in characters), pattern.
#include <fmt/format.h>

#include <algorithm>

#include "appliance/schema/site.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::schema {
namespace {

std::uint64_t characters(std::string_view text) {  // code points, as JSON Schema counts
  return static_cast<std::uint64_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

template <class Holds>
void add_length(Site& site, const char* keyword, const char* words, Holds holds) {
  const canon::Json* value = site.find(keyword);
  if (value == nullptr) return;
  const std::uint64_t bound = site.count(keyword, *value);
  site.add([=](Evaluation& evaluation, const Frame& frame) {
    if (!frame.value().is_string()) return true;
    const auto& text = frame.value().get_ref<const std::string&>();
    evaluation.charge(text.size() / 256);
    const std::uint64_t have = characters(text);
    return holds(have, bound) || evaluation.fail(frame, keyword, [&] {
      return fmt::format("must have {} {} characters, not {}", words, bound, have);
    });
  });
}

}  // namespace

void add_text_assertions(Site& site) {
  add_length(site, "minLength", "at least", std::greater_equal<>());
  add_length(site, "maxLength", "at most", std::less_equal<>());
  const canon::Json* value = site.find("pattern");
  if (value == nullptr) return;
  const Pattern& pattern = site.pattern("pattern", site.text("pattern", *value));
  site.add([&pattern](Evaluation& evaluation, const Frame& frame) {
    if (!frame.value().is_string()) return true;
    const auto& text = frame.value().get_ref<const std::string&>();
    evaluation.charge_match(pattern, text);
    return pattern.matches(text) || evaluation.fail(frame, "pattern", [&] {
      return fmt::format("must match {}, which {} does not", canon::printable(pattern.source(), 80),
                         shown(frame.value()));
    });
  });
}

}  // namespace stella::schema
