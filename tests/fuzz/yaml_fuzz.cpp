// SPDX-License-Identifier: Apache-2.0
// Strict YAML: what is let in is JSON, and every value of it has a mark inside the text.
#include "bundles/yaml/document.hpp"
#include "tests/fuzz/entry.hpp"

// libfyaml 0.7.12 loses one buffer, never longer than the text, when a long single-quoted name ends in an error.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfyaml";
}  // NOLINT

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] {
    const yaml::Document document = yaml::parse(text, "fuzz.yaml", fault::Code::pack_invalid);
    (void)canon::parse_json(canon::canonical(document.value), fault::Code::pack_invalid, "fuzz", 64 << 20);
    fuzz::require(document.marks.contains(""));
    for (const auto& [pointer, mark] : document.marks) fuzz::require(mark.value.line >= 1 && mark.value.column >= 1);
  });
  return 0;
}
