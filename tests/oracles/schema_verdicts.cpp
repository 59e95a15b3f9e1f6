// SPDX-License-Identifier: Apache-2.0
// Answers each line {"schema", "value"} of standard input with `true`, `false` or `error: why`, so that thousands of
// pairs can be compared without starting the runner for each.
#include <iostream>

#include "appliance/schema/schema.hpp"

int main() {
  using namespace stella;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const canon::Json pair = canon::parse_json(line, fault::Code::usage, "line");
      const auto schema = schema::Schema::compile(pair.at("schema"), {.name = "schema", .base = ""});
      std::cout << (schema.check(pair.at("value")).valid ? "true" : "false") << '\n';
    } catch (const fault::Error& error) {
      std::cout << "error: " << error.what() << '\n';
    }
  }
  return 0;
}
