// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "appliance/pack/section.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::pack {
namespace {

const std::string kApiVersion = "stellaops.io/pack.v1", kKind = "TaskPack";

void read_maintainers(Section& metadata, Findings& findings, Manifest& manifest) {
  metadata.each("maintainers", Need::optional, 50, [&](const canon::Json& item, const std::string& pointer) {
    Section section(findings, item, pointer);
    manifest.maintainers.push_back({section.text("name", Need::required, 200).value_or(""),
                                    section.text("email", Need::optional, 320).value_or("")});
    section.finish();
  });
}

void read_metadata(Section& top, Findings& findings, Manifest& manifest) {
  const canon::Json* value = top.any("metadata", Need::required);
  if (value == nullptr) return;
  Section metadata(findings, *value, top.pointer_to("metadata"));
  manifest.name =
      metadata.word("name", Need::required, is_pack_name, "1 to 63 of a-z, 0-9 and -, with no - at either end")
          .value_or("");
  manifest.version =
      metadata.word("version", Need::required, is_version, "a version such as 1.4.0 or 1.4.0-rc.1").value_or("");
  manifest.description = metadata.text("description").value_or("");
  manifest.license = metadata.text("license", Need::optional, 200).value_or("");
  manifest.tags = metadata.texts("tags", 50).value_or(std::vector<std::string>{});
  manifest.tenant_visibility = metadata.texts("tenantVisibility", 200).value_or(std::vector<std::string>{});
  read_maintainers(metadata, findings, manifest);
  metadata.finish();
}

void read_spec(Section& top, Findings& findings, Manifest& manifest) {
  const canon::Json* value = top.any("spec", Need::required);
  if (value == nullptr) return;
  Section spec(findings, *value, top.pointer_to("spec"));
  manifest.sealed_install = spec.boolean("sealedInstall").value_or(false);
  read_inputs_part(spec, findings, manifest);
  read_secrets_part(spec, findings, manifest);
  read_approvals_part(spec, findings, manifest);
  if (auto network = read_network(spec, findings)) manifest.network = std::move(*network);
  read_steps_part(spec, findings, manifest);
  read_outputs_part(spec, findings, manifest);
  read_runtime_part(spec, findings, manifest);
  spec.finish();
}

template <class List, class Member>
auto find_in(const List& list, Member member, std::string_view name) {
  const auto found = std::ranges::find_if(list, [&](const auto& item) { return item.*member == name; });
  return found == list.end() ? nullptr : &*found;
}

// From pointers to what people look for.
void place(std::vector<Step>& steps, const yaml::Document& document) {
  for (Step& step : steps) {
    step.at = document.at(step.at);
    place(step.steps, document);
    for (Case& each : step.cases) place(each.steps, document);
    place(step.otherwise, document);
  }
}

}  // namespace

std::string_view name_of(InputType type) noexcept {
  switch (type) {
    case InputType::string:
      return "string";
    case InputType::integer:
      return "integer";
    case InputType::number:
      return "number";
    case InputType::boolean:
      return "boolean";
    case InputType::array:
      return "array";
    case InputType::object:
      return "object";
    case InputType::file:
      return "file";
  }
  return "string";
}

std::string_view name_of(OnCrash on_crash) noexcept {
  return on_crash == OnCrash::rerun ? "rerun" : on_crash == OnCrash::fail ? "fail" : "ask";
}

const Input* Manifest::find_input(std::string_view wanted) const {
  return find_in(inputs, &Input::name, wanted);
}
const Secret* Manifest::find_secret(std::string_view wanted) const {
  return find_in(secrets, &Secret::name, wanted);
}
const Approval* Manifest::find_approval(std::string_view wanted) const {
  return find_in(approvals, &Approval::id, wanted);
}

Reading read_manifest(std::string_view text, const std::string& name) {
  const yaml::Document document = yaml::parse(text, name, fault::Code::pack_invalid);
  Findings findings(document);
  Reading reading;
  Section top(findings, document.value, "");
  (void)top.choice("apiVersion", {kApiVersion}, Need::required);
  (void)top.choice("kind", {kKind}, Need::required);
  read_metadata(top, findings, reading.manifest);
  read_spec(top, findings, reading.manifest);
  top.finish();
  check_references(reading.manifest, findings);
  reading.problems = findings.take();
  place(reading.manifest.steps, document);
  place(reading.manifest.at_end, document);
  return reading;
}

void require_none(const std::vector<Problem>& problems) {
  if (problems.empty()) return;
  const Problem& first = problems.front();
  const std::string more =
      problems.size() == 1 ? "" : fmt::format(" (and {} more; `stella pack validate` lists all)", problems.size() - 1);
  throw fault::Error(fault::Code::pack_invalid, first.reason, first.what + more, first.at);
}

Manifest parse_manifest(std::string_view text, const std::string& name) {
  Reading reading = read_manifest(text, name);
  require_none(reading.problems);
  return std::move(reading.manifest);
}

}  // namespace stella::pack
