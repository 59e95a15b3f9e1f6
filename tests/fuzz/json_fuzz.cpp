// SPDX-License-Identifier: Apache-2.0
// Strict JSON: what is let in can be written in RFC 8785 form, and that form reads and writes as itself.
#include "bundles/canon/json.hpp"
#include "tests/fuzz/entry.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  fuzz::refusing_is_fine([&] {
    const canon::Json value = canon::parse_json(fuzz::text_of(data, size), fault::Code::pack_invalid, "fuzz", 1 << 20);
    const std::string bytes = canon::canonical(value);
    const canon::Json again = canon::parse_json(bytes, fault::Code::pack_invalid, "fuzz", 16 << 20);
    fuzz::require(canon::canonical(again) == bytes);
  });
  return 0;
}
