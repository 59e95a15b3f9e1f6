// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "appliance/pack/value_type.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

constexpr std::size_t kMaxDeclared = 200;
constexpr std::string_view kIdRule = "a letter, then letters, digits, _ or -, at most 63 in all";

// A name that is already taken is a problem where it comes again.
template <class List, class Member>
void note_repeat(const List& list, Member member, const std::string& name, Section& section, std::string_view field) {
  if (name.empty()) return;
  for (const auto& item : list)
    if (item.*member == name)
      return section.note(field, fmt::format("`{}` is declared twice", canon::printable(name, 63)));
}

void read_fallback(Section& section, Input& input) {
  const canon::Json* fallback = section.any("default");
  if (fallback == nullptr) return;
  if (input.type == InputType::file) return section.note("default", "a file input has no default");
  if (input.required) return section.note("default", "a required input has no default");
  if (!is_of_type(*fallback, input.type))
    return section.note("default", fmt::format("`default` is not of type {}", name_of(input.type)));
  input.fallback = *fallback;
}

}  // namespace

void read_inputs_part(Section& spec, Findings& findings, Manifest& manifest) {
  spec.each("inputs", Need::optional, kMaxDeclared, [&](const canon::Json& item, const std::string& pointer) {
    Section section(findings, item, pointer);
    Input input;
    input.name = section.word("name", Need::required, is_id, kIdRule).value_or("");
    note_repeat(manifest.inputs, &Input::name, input.name, section, "name");
    if (const auto type = section.choice("type", type_names(), Need::required)) input.type = *find_type(*type);
    input.required = section.boolean("required").value_or(false);
    input.schema = section.word("schema", Need::optional, is_inner_path, "a path inside the pack").value_or("");
    if (input.type == InputType::file && section.has("schema")) section.note("schema", "a file input has no schema");
    input.description = section.text("description").value_or("");
    read_fallback(section, input);
    section.finish();
    manifest.inputs.push_back(std::move(input));
  });
}

void read_secrets_part(Section& spec, Findings& findings, Manifest& manifest) {
  spec.each("secrets", Need::optional, kMaxDeclared, [&](const canon::Json& item, const std::string& pointer) {
    Section section(findings, item, pointer);
    Secret secret;
    secret.name =
        section.word("name", Need::required, is_secret_name, "letters, digits, ., _ or -, at most 63").value_or("");
    note_repeat(manifest.secrets, &Secret::name, secret.name, section, "name");
    secret.scope =
        section.word("scope", Need::required, is_secret_name, "letters, digits, ., _ or -, at most 63").value_or("");
    const bool as_env = section.choice("as", {"file", "env"}).value_or("file") == "env";
    if (as_env)
      secret.env =
          section.word("env", Need::required, is_variable, "a variable's name that does not begin with STELLA_")
              .value_or("");
    else if (section.any("env") != nullptr)
      section.note("env", "`env` belongs to `as: env`");
    section.finish();
    manifest.secrets.push_back(std::move(secret));
  });
}

void read_approvals_part(Section& spec, Findings& findings, Manifest& manifest) {
  spec.each("approvals", Need::optional, kMaxDeclared, [&](const canon::Json& item, const std::string& pointer) {
    Section section(findings, item, pointer);
    Approval approval;
    approval.id = section.word("id", Need::required, is_id, kIdRule).value_or("");
    note_repeat(manifest.approvals, &Approval::id, approval.id, section, "id");
    if (approval.id == "site")
      section.note("id", "`site` is the gate that a site policy may put before a pack; choose another id");
    approval.threshold = static_cast<int>(section.integer("threshold", 1, 100).value_or(1));
    section.each_member("roles", 50, [&](const std::string& role, const canon::Json& count, const std::string& place) {
      if (!is_id(role)) return findings.note_key(place, fmt::format("a role is {}", kIdRule));
      if (!count.is_number_integer() || count < 1 || count > 100)
        return findings.note(place, "a role's count must be an integer from 1 to 100");
      approval.roles[role] = count.get<int>();
    });
    approval.expires_after = section.duration("expiresAfter");
    approval.message = section.text("message").value_or("");
    section.later("validFor");
    section.finish();
    manifest.approvals.push_back(std::move(approval));
  });
}

std::optional<std::vector<Ask>> read_network(Section& section, Findings& findings) {
  if (!section.has("network")) {
    (void)section.any("network");
    return std::nullopt;
  }
  std::vector<Ask> asks;
  section.each("network", Need::optional, kMaxDeclared, [&](const canon::Json& item, const std::string& pointer) {
    Section entry(findings, item, pointer);
    const auto host = entry.word("host", Need::required, is_host, "a host's name or address");
    const auto port = entry.integer("port", 1, 65535, Need::required);
    entry.finish();
    if (host && port) asks.push_back({lower_case(*host), static_cast<int>(*port)});
  });
  return asks;
}

void read_outputs_part(Section& spec, Findings& findings, Manifest& manifest) {
  spec.each("outputs", Need::optional, kMaxDeclared, [&](const canon::Json& item, const std::string& pointer) {
    Section section(findings, item, pointer);
    Output output;
    output.name = section.word("name", Need::required, is_id, kIdRule).value_or("");
    note_repeat(manifest.outputs, &Output::name, output.name, section, "name");
    if (const auto type = section.choice("type", type_names())) output.type = *find_type(*type);
    if (output.type == InputType::file)
      output.path =
          section.word("path", Need::required, is_inner_path, "a path relative to /artifacts, without ..").value_or("");
    else
      output.value = section.text("value", Need::required).value_or("");
    if (output.type != InputType::file && section.any("path") != nullptr)
      section.note("path", "`path` belongs to `type: file`");
    if (output.type == InputType::file && section.any("value") != nullptr)
      section.note("value", "`value` belongs to the other types than file");
    section.finish();
    manifest.outputs.push_back(std::move(output));
  });
}

void read_step_outputs(Section& section, Findings& findings, Step& step) {
  section.each_member(
      "outputs", kMaxDeclared, [&](const std::string& name, const canon::Json& value, const std::string& pointer) {
        if (!is_output_name(name))
          findings.note_key(pointer, "an output's name is of letters, digits and _, 64 at most");
        const auto type = value.is_string() ? find_type(value.get<std::string>()) : std::nullopt;
        if (!type || *type == InputType::file)
          return findings.note(pointer, "an output is string, integer, number, boolean, array or object");
        step.outputs[name] = *type;
      });
}

void read_step_artifacts(Section& section, Findings& findings, Step& step) {
  section.each("artifacts", Need::optional, kMaxDeclared, [&](const canon::Json& item, const std::string& pointer) {
    Section entry(findings, item, pointer);
    Output artifact;
    artifact.name = entry.word("name", Need::required, is_id, kIdRule).value_or("");
    note_repeat(step.artifacts, &Output::name, artifact.name, entry, "name");
    artifact.path =
        entry.word("path", Need::required, is_inner_path, "a path relative to /artifacts, without ..").value_or("");
    entry.finish();
    step.artifacts.push_back(std::move(artifact));
  });
}

}  // namespace stella::pack
