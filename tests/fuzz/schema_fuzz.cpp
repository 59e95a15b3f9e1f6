// SPDX-License-Identifier: Apache-2.0
// A schema and a value, {"schema", "value"}, or a schema alone: what is let in gives a verdict that fits its
// violations.
#include "appliance/schema/schema.hpp"
#include "tests/fuzz/entry.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] {
    canon::Json pair = canon::parse_json(text, fault::Code::pack_invalid, "fuzz");
    const bool is_pair = pair.is_object() && pair.contains("schema") && pair.contains("value");
    const canon::Json value = is_pair ? pair["value"] : pair;
    const auto schema = schema::Schema::compile(
        is_pair ? pair["schema"] : pair,
        {.name = "fuzz", .base = "", .formats = schema::Formats::asserted, .unknown = schema::Unknown::ignored});
    const schema::Verdict verdict = schema.check(value);
    fuzz::require(verdict.valid == verdict.violations.empty());
    fuzz::require(schema.check(value).valid == verdict.valid);
  });
  return 0;
}
