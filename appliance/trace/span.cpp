// SPDX-License-Identifier: Apache-2.0
#include "appliance/trace/span.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::trace {
namespace {

using canon::Json;

constexpr std::size_t kMaxText = 2000, kMaxItems = 100;
constexpr int kInternal = 1;        // SPAN_KIND_INTERNAL
constexpr int kSampledFlags = 0x1;  // W3C trace flags, bits 0-7

std::string first_digits(const std::string& text, std::size_t count) {
  std::string digits = canon::sha256(text).hex().substr(0, count);
  if (digits.find_first_not_of('0') == std::string::npos) digits.back() = '1';  // all zero is no id
  return digits;
}

std::string nanos(clock::Time at) {
  return fmt::format("{}000000", at.time_since_epoch().count());
}

Json text_value(const std::string& text) {
  return {{"stringValue", canon::printable(text, kMaxText)}};
}

Json value_of(const Json& value) {
  if (value.is_string()) return text_value(value.get<std::string>());
  if (value.is_boolean()) return {{"boolValue", value}};
  if (value.is_number_integer()) return {{"intValue", fmt::format("{}", value.get<std::int64_t>())}};  // 64 bits: text
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& one : value)
      if (one.is_string() && list.size() < kMaxItems) list.push_back(text_value(one.get<std::string>()));
    return {{"arrayValue", {{"values", std::move(list)}}}};
  }
  return {};
}

Json json_of(const std::vector<Attribute>& attributes) {
  Json all = Json::array();
  for (const Attribute& one : attributes) {
    const Json value = value_of(one.value);
    if (!value.is_null()) all.push_back({{"key", one.key}, {"value", value}});
  }
  return all;
}

Json json_of(const std::string& trace_id, const Span& span) {
  Json notes = Json::array();
  for (const Note& note : span.notes)
    notes.push_back({{"timeUnixNano", nanos(note.at)}, {"name", note.name}, {"attributes", json_of(note.attributes)}});
  Json object = {{"traceId", trace_id},
                 {"spanId", span.id},
                 {"flags", kSampledFlags},
                 {"name", canon::printable(span.name, kMaxText)},
                 {"kind", kInternal},
                 {"startTimeUnixNano", nanos(span.start)},
                 {"endTimeUnixNano", nanos(std::max(span.start, span.end))},
                 {"attributes", json_of(span.attributes)},
                 {"events", std::move(notes)},
                 {"status", Json::object()}};
  if (!span.parent.empty()) object["parentSpanId"] = span.parent;
  if (span.status != Status::unset) object["status"]["code"] = static_cast<int>(span.status);
  if (!span.message.empty()) object["status"]["message"] = canon::printable(span.message, kMaxText);
  return object;
}

}  // namespace

std::string trace_id_of(const std::string& run) {
  return first_digits("stella.trace.v1\n" + run, 32);
}

std::string span_id_of(const std::string& run, const std::string& part) {
  return first_digits("stella.span.v1\n" + run + "\n" + part, 16);
}

std::string write_line(const std::string& trace_id, std::span<const Span> spans) {
  Json all = Json::array();
  for (const Span& span : spans) all.push_back(json_of(trace_id, span));
  const Json resource = {
      {"attributes", json_of(std::vector<Attribute>{{"service.name", "stella"}, {"service.version", STELLA_VERSION}})}};
  const Json scope = {{"name", "stella"}, {"version", STELLA_VERSION}};
  const Json scope_spans = Json::array({{{"scope", scope}, {"spans", std::move(all)}}});
  return canon::canonical({{"resourceSpans", Json::array({{{"resource", resource}, {"scopeSpans", scope_spans}}})}});
}

}  // namespace stella::trace
