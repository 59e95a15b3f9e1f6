// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/inputs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "appliance/pack/input_schema.hpp"
#include "appliance/pack/value_type.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/named.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::pack {
namespace {

constexpr fault::Code kCode = fault::Code::pack_inputs;
constexpr std::size_t kMaxProblems = 200;  // in one message

// Where the file of a file input is, by its name and the value given for it.
using Locate = std::function<std::string(const std::string& name, const std::string& given)>;

FileInput hash_file(const std::string& path) {
  const files::Fd file = files::open_input(path, {.max_bytes = kMaxFileInput});
  canon::Sha256 hasher;
  FileInput input;
  files::stream_input(file, path, kMaxFileInput, [&](std::string_view block) {
    hasher.update(block);
    input.size_bytes += block.size();
  });
  input.path = path;
  input.digest = hasher.finish();
  return input;
}

class Collector {
 public:
  Collector(const Manifest& manifest, const yaml::Document& document, const FileReader& read, const Locate& locate)
      : manifest_(manifest), document_(document), read_(read), locate_(locate) {}

  Inputs collect() {
    if (!document_.value.is_object())
      throw fault::Error(kCode, "type", "the inputs are a mapping of names to values", document_.at(""));
    inputs_.given = document_.value;
    for (const Input& input : manifest_.inputs) take(input);
    note_unknown();
    if (!problems_.empty()) fail();
    return std::move(inputs_);
  }

 private:
  void note(const Input& input, const std::string& what, std::string_view reason, const std::string& below = "") {
    if (++found_ > kMaxProblems) return;
    const std::string pointer = yaml::pointer_step(input.name) + below;
    problems_.push_back({document_.at(pointer),
                         fmt::format("input {} {} (at {})", input.name, what, canon::printable(pointer, 200)),
                         std::string(reason)});
  }

  void take(const Input& input) {
    const auto given = document_.value.find(input.name);
    const bool absent = given == document_.value.end() || given->is_null();
    inputs_.values[input.name] = nullptr;
    if (absent && input.required) return note(input, fmt::format("is required ({})", name_of(input.type)), "missing");
    if (absent && !input.fallback) return;
    const canon::Json& value = absent ? *input.fallback : *given;
    if (!is_of_type(value, input.type))
      return note(
          input,
          fmt::format("must be of type {}, not {}", name_of(input.type), canon::printable(canon::canonical(value), 60)),
          "type");
    if (input.type == InputType::file) return take_file(input, value.get<std::string>());
    check_schema(input, value);
    inputs_.values[input.name] = value;
  }

  void take_file(const Input& input, const std::string& given) {
    if (given.empty() || given.find('\0') != std::string::npos)
      return note(input, "must be the path of a file", "type");
    try {
      inputs_.files[input.name] = hash_file(locate_(input.name, given));
      inputs_.values[input.name] = "/inputs/" + input.name;
    } catch (const fault::Error& error) {
      file_error_ = error;
      note(input, fmt::format("cannot be used: {}", error.what()), error.reason());
    }
  }

  void check_schema(const Input& input, const canon::Json& value) {
    if (input.schema.empty()) return;
    const auto schema = load_schema(input.schema, read_);
    if (!schema)
      throw fault::Error(fault::Code::pack_invalid, "file", fmt::format("the pack has no file {}", input.schema),
                         "input " + input.name);
    for (const auto& violation : schema->check(value).violations)
      note(input, violation.what, "schema", violation.pointer);
  }

  void note_unknown() {
    std::vector<std::string> known;
    for (const Input& input : manifest_.inputs) known.push_back(input.name);
    for (const auto& [name, value] : document_.value.items()) {
      if (manifest_.find_input(name) != nullptr || ++found_ > kMaxProblems) continue;
      const auto near = canon::nearest(name, known);
      problems_.push_back({document_.at_key(yaml::pointer_step(name)),
                           fmt::format("the pack has no input `{}`{} (at {})", canon::printable(name, 60),
                                       near ? fmt::format(", did you mean `{}`?", *near) : "",
                                       canon::printable(yaml::pointer_step(name), 200)),
                           "unknown"});
    }
  }

  // All of them at once; only a hostile file has more than fit.
  [[noreturn]] void fail() const {
    // A lone unreadable file keeps its own code, so that a missing one is ERR_FILE_NOT_FOUND.
    if (problems_.size() == 1 && file_error_) throw file_error_->located(problems_[0].at);
    std::string all = problems_[0].what;
    for (std::size_t i = 1; i < problems_.size(); ++i)
      all += fmt::format("; {}: {}", problems_[i].at, problems_[i].what);
    if (found_ > kMaxProblems) all += fmt::format("; and {} more", found_ - kMaxProblems);
    throw fault::Error(kCode, problems_[0].reason, all, problems_[0].at);
  }

  const Manifest& manifest_;
  const yaml::Document& document_;
  const FileReader& read_;
  const Locate& locate_;
  Inputs inputs_;
  std::vector<Problem> problems_;
  std::size_t found_ = 0;
  std::optional<fault::Error> file_error_;
};

}  // namespace

Inputs read_inputs(const Manifest& manifest, const std::optional<InputsFile>& file, const FileReader& read) {
  const bool is_stream = !file || file->path == "-";
  const std::filesystem::path folder =
      is_stream ? std::filesystem::path() : std::filesystem::path(file->path).parent_path();
  const Locate locate = [&](const std::string&, const std::string& given) {
    return files::named((folder / given).string());
  };
  if (!file) return Collector(manifest, {canon::Json::object(), "inputs", {}}, read, locate).collect();
  const std::string name = is_stream ? "standard input" : file->path;
  return Collector(manifest, yaml::parse_by_name(file->text, name, kCode), read, locate).collect();
}

Inputs reload_inputs(const Manifest& manifest, const std::string& given_text, const std::string& folder,
                     const FileReader& read) {
  const yaml::Document document{canon::parse_json(given_text, kCode, "inputs.json"), "inputs.json", {}};
  const Locate locate = [&](const std::string& name, const std::string&) { return folder + "/" + name; };
  return Collector(manifest, document, read, locate).collect();
}

void copy_file_input(const std::string& name, const FileInput& input, const std::string& target) {
  const files::Fd file = files::open_input(input.path, {.max_bytes = kMaxFileInput});
  files::AtomicFile copy(target, 0444);
  canon::Sha256 hasher;
  std::uint64_t size_bytes = 0;
  files::stream_input(file, input.path, kMaxFileInput, [&](std::string_view block) {
    hasher.update(block);
    size_bytes += block.size();
    copy.write(block);
  });
  if (size_bytes != input.size_bytes || hasher.finish() != input.digest)
    throw fault::Error(kCode, "changed", fmt::format("the file of input {} is not the one that was planned", name),
                       input.path, "Leave the file alone while the command runs, then run it again.");
  files::crash_point("pack.copy_file_input");
  copy.commit();
}

}  // namespace stella::pack
