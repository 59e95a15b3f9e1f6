// SPDX-License-Identifier: Apache-2.0
// pack check-schema: one schema and one value, for authors.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "appliance/cli/command.hpp"
#include "appliance/schema/schema.hpp"
#include "appliance/schema/uri.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/json_places.hpp"

namespace stella::cli {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxSchema = std::uint64_t{1} << 20;  // bytes of a document
constexpr std::uint64_t kMaxJson = std::uint64_t{16} << 20;   // bytes of the value
constexpr const char* kStandardInput = "standard input";

// Where a URI is found on this machine: `URI=FILE`, `PREFIX/=FOLDER`, or `FILE`, which its own $id names.
struct Remote {
  std::string uri, path;
};

Remote read_remote(Invocation& call, const std::string& given) {
  const auto equals = given.find('=');
  if (equals != std::string::npos) return {given.substr(0, equals), given.substr(equals + 1)};
  const Json document = canon::parse_json(call.read_argument(given, kMaxSchema), Code::pack_invalid, given, kMaxSchema);
  if (!document.is_object() || !document.contains("$id") || !document["$id"].is_string())
    throw Error(Code::usage, "remote", fmt::format("{} has no `$id`, so nothing says which `$ref` means it", given),
                "--remote", fmt::format("Say it: --remote URI={}", given));
  schema::Uri uri = schema::split_uri(document["$id"].get<std::string>());
  uri.fragment.reset();
  return {uri.text(), given};
}

std::optional<std::string> find_remote(Invocation& call, const std::vector<Remote>& remotes, const std::string& uri) {
  for (const Remote& remote : remotes) {
    if (remote.uri == uri) return call.read_argument(remote.path, kMaxSchema);
    if (!remote.uri.ends_with('/') || !uri.starts_with(remote.uri)) continue;
    const std::filesystem::path below = uri.substr(remote.uri.size());
    const bool leaves = below.is_absolute() || std::find(below.begin(), below.end(), "..") != below.end();
    const std::filesystem::path path = std::filesystem::path(remote.path) / below;
    if (!leaves && std::filesystem::is_regular_file(path)) return call.read_argument(path.string(), kMaxSchema);
  }
  return std::nullopt;
}

schema::Schema read_schema(Invocation& call) {
  const std::string file = call.need("SCHEMA");
  if (file == "-")
    throw Error(Code::usage, "stdin", "standard input holds the JSON to check, so the schema is a file", "SCHEMA");
  std::vector<Remote> remotes;
  for (const std::string& given : call.values("--remote")) remotes.push_back(read_remote(call, given));
  schema::Options options;
  options.name = file;
  options.formats = call.flag("--format") ? schema::Formats::asserted : schema::Formats::annotated;
  options.find = [&](const std::string& uri) { return find_remote(call, remotes, uri); };
  return schema::Schema::parse(call.read_argument(file, kMaxSchema), options);
}

std::string subject(const schema::Violation& violation) {
  return violation.pointer.empty() ? "the value" : canon::printable(violation.pointer, 300);
}

// Every violation on standard output, in the order in which the schema finds them.
Json list(Invocation& call, const schema::Verdict& verdict, const std::string& text) {
  std::set<std::string> pointers;
  for (const auto& violation : verdict.violations) pointers.insert(violation.pointer);
  const auto places = canon::find_places(text, pointers);
  Json all = Json::array();
  for (const auto& violation : verdict.violations) {
    std::string at = kStandardInput;
    if (const auto found = places.find(violation.pointer); found != places.end())
      at += fmt::format(":{}:{}", found->second.value.line, found->second.value.column);
    all.push_back({{"pointer", violation.pointer},
                   {"at", at},
                   {"schema", violation.schema},
                   {"keyword", violation.keyword},
                   {"wanted", violation.wanted},
                   {"what", violation.what}});
    call.out().say(fmt::format("{}: {} {} ({})", at, call.out().strong(subject(violation)), violation.what,
                               canon::printable(violation.schema, 300)));
  }
  if (verdict.has_more) call.out().say(fmt::format("and more: {} are listed", schema::kMaxViolations));
  return all;
}

int check_schema(Invocation& call) {
  const schema::Schema schema = read_schema(call);
  const std::string text = call.read_argument("-", kMaxJson);
  const schema::Verdict verdict = schema.check(canon::parse_json(text, Code::pack_inputs, kStandardInput, kMaxJson));
  const Json all = list(call, verdict, text);
  Json result = {{"valid", verdict.valid}};
  if (!verdict.valid) result.update({{"violations", all}, {"more", verdict.has_more}});
  call.out().result(result);
  if (verdict.valid) {
    call.out().say(call.out().good("valid"));
    return 0;
  }
  const auto& first = verdict.violations.front();
  throw Error(Code::pack_inputs, "schema",
              fmt::format("{} {}{}", subject(first), first.what,
                          all.size() > 1 ? fmt::format("; {} violations in all", all.size()) : ""),
              all[0]["at"].get<std::string>(), "Correct the value, or the schema, and check again.");
}

}  // namespace

std::vector<Command> pack_check_schema_commands() {
  return {{{"pack", "check-schema"},
           "check JSON from standard input against a schema",
           "echo '\"hall-3\"' | stella pack check-schema schemas/cell.schema.json",
           {{"SCHEMA", "a JSON Schema 2020-12 file"}},
           {{"--format", "", "let `format` refuse values, not only describe them"},
            {"--remote", "[URI=]PATH", "a file for a $ref, or a folder for every URI below URI/", false, true}},
           check_schema}};
}

}  // namespace stella::cli
