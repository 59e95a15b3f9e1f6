// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/outputs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "appliance/pack/value_type.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxName = 64;
constexpr std::uint64_t kMaxArtifact = std::uint64_t{1} << 50;

Error malformed(const std::string& what, const std::string& at) {
  return Error(
      Code::pack_step_failed, "output-format", what, at,
      "Write lines `name=value` with names of letters, digits and _ to $STELLA_OUTPUT, at most 64 KiB in all.");
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || name.size() > kMaxName || !letter(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// printable() leaves a text as it is exactly when it is UTF-8 without control or invisible characters.
bool is_plain(std::string_view value) {
  return canon::printable(value, value.size() + 1) == value;
}

void read_line(std::string_view line, const std::string& at, canon::Json& into) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) throw malformed("a line has no `=`", at);
  const std::string name(line.substr(0, equals)), value(line.substr(equals + 1));
  if (!is_name(name)) throw malformed(fmt::format("`{}` is no name", canon::printable(name, 80)), at);
  if (into.contains(name)) throw malformed(fmt::format("`{}` is given twice", name), at);
  if (!is_plain(value)) throw malformed(fmt::format("the value of `{}` is not plain UTF-8 text", name), at);
  into[name] = value;
}

Error not_there(const plan::Output& output, const std::string& what) {
  return Error(Code::pack_step_failed, "output",
               fmt::format("output `{}`: /artifacts/{} {}", output.name, canon::printable(output.path), what),
               output.name, "Have a step write that file beneath /artifacts, or take the output out of pack.yaml.");
}

Stored store(const plan::Output& output, const files::Fd& root) {
  files::Fd fd;
  try {
    fd = files::open_beneath(root, output.path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (const Error& error) {
    throw not_there(output, error.code() == Code::file_not_found ? "is missing" : "is not a regular file");
  }
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) throw not_there(output, "is not a regular file");
  canon::Sha256 hash;
  std::uint64_t size = 0;
  files::stream_input(fd, output.path, kMaxArtifact, [&](std::string_view block) {
    hash.update(block);
    size += block.size();
  });
  return {.name = output.name, .path = output.path, .digest = hash.finish().tagged(), .size_bytes = size};
}

// A file that cannot be read as an output is taken for one that holds a secret.
bool may_hold_secret(const redaction::Patterns& patterns, const std::string& path) {
  try {
    const auto rule =
        files::InputRule{.max_bytes = kMaxOutputBytes, .empty = files::Empty::allow, .links = files::Links::refuse};
    return patterns.occurs_in(files::read_input(path, rule));
  } catch (const Error& error) {
    return error.code() != Code::file_not_found;
  }
}

}  // namespace

canon::Json parse_step_output(std::string_view text) {
  canon::Json outputs = canon::Json::object();
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty()) read_line(line, fmt::format("$STELLA_OUTPUT:{}", number), outputs);
  }
  return outputs;
}

canon::Json read_step_output(const std::string& path) {
  try {
    const auto rule =
        files::InputRule{.max_bytes = kMaxOutputBytes, .empty = files::Empty::allow, .links = files::Links::refuse};
    return parse_step_output(files::read_input(path, rule));
  } catch (const Error& error) {
    if (error.code() == Code::file_not_found) return canon::Json::object();
    if (error.code() != Code::file_unsuitable) throw;
    throw malformed(error.reason() == "size" ? "more than 64 KiB were written" : "it is not a regular file any more",
                    "$STELLA_OUTPUT");
  }
}

canon::Json typed_outputs(const canon::Json& outputs, const std::map<std::string, pack::InputType>& declared) {
  canon::Json typed = outputs;
  for (const auto& [name, type] : declared) {
    const auto wrong = [&, &name = name, &type = type](const std::string& what) {
      return Error(
          Code::pack_step_failed, "output", fmt::format("output `{}` {}", name, what), name,
          fmt::format("Write a line `{}=...` with a value of type {} to $STELLA_OUTPUT, or declare another type.", name,
                      pack::name_of(type)));
    };
    const auto found = typed.find(name);
    if (found == typed.end()) throw wrong("is declared and was not written");
    if (type == pack::InputType::string) continue;
    try {
      canon::Json value = canon::parse_json(found->get<std::string>(), Code::pack_step_failed, name);
      if (!pack::is_of_type(value, type)) throw wrong(fmt::format("is not of type {}", pack::name_of(type)));
      *found = std::move(value);
    } catch (const Error& error) {
      if (error.reason() == "output") throw;
      throw wrong(fmt::format("is not of type {}: {}", pack::name_of(type), error.what()));
    }
  }
  return typed;
}

std::string remove_secrets(const redaction::Patterns& patterns, const std::string& output_file,
                           const std::string& artifacts) {
  if (patterns.empty()) return {};
  std::string found;
  if (may_hold_secret(patterns, output_file)) {
    files::remove_tree(output_file);
    found = "what was written to $STELLA_OUTPUT holds a secret, or is too large to be searched";
  }
  const files::Listing tree = files::list_hostile_tree(artifacts);
  if (!tree.unlisted.empty())  // nor is it copied into the evidence
    found = "what is beneath /artifacts is too deep, too much or closed to be searched for secrets";
  for (const auto& entry : tree.entries) {
    if (!patterns.occurs_in(entry.path) && !patterns.occurs_in(entry.link_target)) continue;
    files::remove_tree(artifacts + "/" + entry.path);
    found = "a name beneath /artifacts holds a secret; it was removed";
  }
  return found;
}

std::vector<Stored> check_outputs(const std::vector<plan::Output>& outputs, const std::string& artifacts) {
  if (outputs.empty()) return {};
  const files::Fd root = files::open_folder(artifacts);
  std::vector<Stored> stored;
  for (const plan::Output& output : outputs) stored.push_back(store(output, root));
  return stored;
}

}  // namespace stella::run
