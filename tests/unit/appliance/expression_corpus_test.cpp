// SPDX-License-Identifier: Apache-2.0
// The corpus in tests/vectors/jmespath, by section of the specification: [{section, given, cases: [{expression, result
// | error}]}], where an error is a reason without `expression-`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "appliance/expression/expression.hpp"

namespace stella::expression {
namespace {

using canon::Json;

Json load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return canon::parse_json(text, fault::Code::internal, path.string());
}

Json answer(const std::string& text, const Json& given) {
  try {
    return {{"result", Expression::parse(text, {}).evaluate(given)}};
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_invalid) << text;
    return {{"error", error.reason().substr(std::string("expression-").size())}};
  }
}

TEST(Corpus, HoldsSectionBySection) {
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(STELLA_TEST_VECTORS "/jmespath")) {
    for (const Json& section : load(file.path())) {
      for (const Json& each : section["cases"]) {
        Json wanted = each;
        wanted.erase("expression");
        const std::string text = each["expression"];
        EXPECT_EQ(answer(text, section["given"]), wanted) << section["section"] << ": " << text;
        ++count;
      }
    }
  }
  EXPECT_GT(count, 550U);
}

}  // namespace
}  // namespace stella::expression
