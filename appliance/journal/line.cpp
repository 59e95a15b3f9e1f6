// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/journal/store.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::journal {
namespace {

constexpr std::int64_t kMaxSeq = std::int64_t{1} << 53;

}  // namespace

std::string line_of(const Event& event) {
  canon::Json object = {{"seq", event.seq},         {"at", clock::format_millis(event.at)},
                        {"type", event.type},       {"run", event.run},
                        {"attempt", event.attempt}, {"prev", event.prev},
                        {"data", event.data}};
  if (!event.step.empty()) object["step"] = event.step;
  return canon::canonical(object);
}

Event parse_line(const std::string& line, const std::string& at) {
  const auto code = fault::Code::journal_tampered;
  const canon::Json object = canon::parse_json(line, code, at);
  canon::Fields fields(object, code, "line", at);
  Event event;
  event.seq = fields.integer("seq", 1, kMaxSeq);
  event.at = clock::parse_time(fields.text("at"), code, at);
  event.type = fields.text("type");
  event.run = fields.text("run");
  event.step = fields.maybe_text("step").value_or("");
  event.attempt = static_cast<int>(fields.integer("attempt", 1, 1000000));
  event.prev = fields.text("prev");
  event.data = fields.object("data");
  fields.finish();
  event.line = line;
  return event;
}

std::string hash_of(const std::string& line) {
  return canon::sha256(line).hex();
}

std::string folder_name(const std::string& run) {
  std::string name = run;
  for (char& letter : name) {
    if (letter == ':') letter = '_';
  }
  return name;
}

}  // namespace stella::journal
