// SPDX-License-Identifier: Apache-2.0
// Spans, and how OTLP writes them as JSON. Pure; any thread.
//
// Source: OTLP 1.x, "JSON Protobuf Encoding": the proto3 JSON mapping of opentelemetry.proto.trace.v1 with ids in hex
// and enums as numbers; the file format of opentelemetry.proto, one TracesData a line.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"

namespace stella::trace {

// An attribute's value: text, whole number, truth or a list of texts, as JSON; anything else is left out.
struct Attribute {
  std::string key;
  canon::Json value;
};
struct Note {  // an event of the span
  clock::Time at{};
  std::string name;
  std::vector<Attribute> attributes = {};
};
enum class Status { unset = 0, good = 1, error = 2 };  // the numbers are OTLP's

struct Span {
  std::string id, parent;  // 16 hex digits; no parent: the root
  std::string name;
  clock::Time start{}, end{};
  std::vector<Attribute> attributes = {};
  std::vector<Note> notes = {};
  Status status = Status::unset;
  std::string message = {};  // of an error
};

// 32 and 16 hex digits, the same for the same run and part for ever: the first bytes of a SHA-256, never all zero.
[[nodiscard]] std::string trace_id_of(const std::string& run);
[[nodiscard]] std::string span_id_of(const std::string& run, const std::string& part);

// One TracesData object without newline: the spans, under a resource `service.name` stella.
[[nodiscard]] std::string write_line(const std::string& trace_id, std::span<const Span> spans);

}  // namespace stella::trace
