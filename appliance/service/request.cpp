// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/request.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include "appliance/service/wire.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxArguments = 256, kMaxPath = 4096;
constexpr std::array<std::pair<int, std::string_view>, 3> kSignals{
    {{SIGINT, "INT"}, {SIGTERM, "TERM"}, {SIGHUP, "HUP"}}};

canon::Json parse(std::string_view text) {
  try {
    return canon::parse_json(text, Code::usage, "frame");
  } catch (const Error& error) {
    throw Error(Code::usage, "frame", error.what(), "frame");
  }
}

canon::Fields fields_of(const canon::Json& object) {
  return {object, Code::usage, "frame", "frame"};
}

std::string path_of(canon::Fields& fields, std::string_view name) {
  std::string path = fields.text(name, kMaxPath);
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) fields.fail("an absolute path is needed", name);
  return path;
}

bool is_terminal_name(std::string_view text) {
  return text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.' || c == '+';
         });
}

}  // namespace

std::string text_of(const Request& request) {
  return canon::canonical({{"schema", "stella.service-request.v1"},
                           {"arguments", request.arguments},
                           {"folder", request.folder},
                           {"term", is_terminal_name(request.term) ? request.term : ""},
                           {"noColour", request.no_colour}});
}

Request parse_request(std::string_view text) {
  const canon::Json object = parse(text);
  canon::Fields fields = fields_of(object);
  (void)fields.choice("schema", {"stella.service-request.v1"});
  Request request{.arguments = fields.texts("arguments"),
                  .folder = path_of(fields, "folder"),
                  .term = fields.text("term", 64),
                  .no_colour = fields.boolean("noColour")};
  fields.finish();
  if (request.arguments.empty() || request.arguments.size() > kMaxArguments)
    fields.fail("between 1 and 256 arguments are needed", "arguments");
  for (const std::string& argument : request.arguments) {
    if (argument.find('\0') != std::string::npos) fields.fail("an argument holds a NUL", "arguments");
  }
  if (!is_terminal_name(request.term)) fields.fail("this is no terminal's name", "term");
  return request;
}

std::string text_of_signal(int number) {
  const auto found = std::ranges::find(kSignals, number, &std::pair<int, std::string_view>::first);
  return canon::canonical({{"signal", found == kSignals.end() ? "TERM" : found->second}});
}

int parse_signal(std::string_view text) {
  const canon::Json object = parse(text);
  canon::Fields fields = fields_of(object);
  const std::string name = fields.choice("signal", {"INT", "TERM", "HUP"});
  fields.finish();
  return std::ranges::find(kSignals, name, &std::pair<int, std::string_view>::second)->first;
}

std::string text_of(const Answer& answer) {
  if (const auto* refused = std::get_if<Error>(&answer)) return canon::canonical(error_json(*refused));
  const Ended& ended = std::get<Ended>(answer);
  return canon::canonical({{"exit", ended.status}, {"signal", ended.signal}});
}

Answer parse_answer(std::string_view text) {
  const canon::Json object = parse(text);
  canon::Fields fields = fields_of(object);
  if (fields.has("error")) {
    Error refused = error_of(fields.object("error"), "frame");
    fields.finish();
    return refused;
  }
  const Ended ended{.status = static_cast<int>(fields.integer("exit", 0, 255)),
                    .signal = static_cast<int>(fields.integer("signal", 0, 64))};
  fields.finish();
  return ended;
}

std::string text_of(const Wish& wish) {
  static constexpr std::array<const char*, 3> kNames{"read", "write", "folder"};
  return canon::canonical({{"wish", kNames.at(static_cast<std::size_t>(wish.kind))},
                           {"path", wish.path},
                           {"below", wish.below},
                           {"mode", wish.mode},
                           {"replace", wish.replace}});
}

Wish parse_wish(std::string_view text) {
  const canon::Json object = parse(text);
  canon::Fields fields = fields_of(object);
  const std::string kind = fields.choice("wish", {"read", "write", "folder"});
  Wish wish{.kind = kind == "read"    ? Wish::Kind::read
                    : kind == "write" ? Wish::Kind::write
                                      : Wish::Kind::folder,
            .path = path_of(fields, "path"),
            .below = fields.text("below", 4096),
            .mode = static_cast<int>(fields.integer("mode", 0, 0777)),
            .replace = fields.boolean("replace")};
  fields.finish();
  return wish;
}

std::string text_of_fulfilled(const Fulfilled& fulfilled) {
  if (const auto* error = std::get_if<Error>(&fulfilled)) return canon::canonical(error_json(*error));
  return canon::canonical({{"fulfilled", std::get<bool>(fulfilled)}});
}

Fulfilled parse_fulfilled(std::string_view text) {
  const canon::Json object = parse(text);
  canon::Fields fields = fields_of(object);
  if (fields.has("error")) {
    Error error = error_of(fields.object("error"), "frame");
    fields.finish();
    return error;
  }
  const bool yes = fields.boolean("fulfilled");
  fields.finish();
  return yes;
}

}  // namespace stella::service
