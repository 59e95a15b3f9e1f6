// SPDX-License-Identifier: Apache-2.0
// Expressions and templates: what is let in is evaluated within its budget, gives JSON that our own reader takes, the
// same each time, and from a context with the paths alone that names() gives.
#include "appliance/expression/expression.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using stella::canon::Json;

const Json& context() {
  static const Json value = stella::canon::parse_json(
      R"({"inputs":{"cells":[{"name":"a","load":3,"plc":["x",[1,2]]},{"name":"b","load":2.5}],"dry":false,"site":"hall-3"},
          "run":{"attempt":2,"id":"run:t:1"},"steps":{"a-b":{"exit":0},"check":{"outputs":{"ready":"yes"},"state":"succeeded"}}})",
      stella::fault::Code::internal, "context");
  return value;
}

Json part_of(const std::vector<std::vector<std::string>>& paths) {
  Json part = Json::object();
  for (const auto& path : paths) {
    const Json* from = &context();
    Json* to = &part;
    for (const std::string& name : path) {
      if (!from->is_object() || !from->contains(name)) {
        from = nullptr;
        break;
      }
      from = &from->at(name);
      if (!to->is_object()) *to = Json::object();
      to = &(*to)[name];
    }
    if (from != nullptr) *to = *from;
  }
  return part;
}

void try_expression(std::string_view text) {
  using namespace stella;
  const auto parsed = expression::Expression::parse(text, "fuzz");
  const Json result = parsed.evaluate(context());
  const std::string written = canon::canonical(result);
  fuzz::require(canon::canonical(parsed.evaluate(context())) == written);
  // Numbers beyond 2^53 are written without a point, which the reader refuses in its own right.
  if (written.find_first_of("0123456789") == std::string::npos)
    (void)canon::parse_json(written, fault::Code::internal, "result", 64 << 20);
  if (parsed.reads_everything()) return;
  try {
    fuzz::require(canon::canonical(parsed.evaluate(part_of(parsed.names()))) == written);
  } catch (const fault::Error&) {
    fuzz::require(false);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] { try_expression(text); });
  fuzz::refusing_is_fine([&] { (void)expression::Template::parse(text, "fuzz").evaluate(context()); });
  return 0;
}
