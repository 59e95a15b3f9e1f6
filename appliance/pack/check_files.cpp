// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/input_schema.hpp"
#include "appliance/pack/manifest.hpp"

namespace stella::pack {
namespace {

void check_schema(const Input& input, const FileReader& read, std::vector<Problem>& problems) {
  if (input.schema.empty()) return;
  try {
    const auto schema = load_schema(input.schema, read);
    if (!schema) {
      problems.push_back({"input " + input.name, fmt::format("the pack has no file {}", input.schema), "file"});
      return;
    }
    if (!input.fallback) return;
    for (const auto& violation : schema->check(*input.fallback).violations)
      problems.push_back(
          {"input " + input.name, fmt::format("`default`{} {}", violation.pointer, violation.what), "schema"});
  } catch (const fault::Error& error) {
    problems.push_back({error.at(), error.what(), error.reason()});
  }
}

void check_program(const Step& step, const FileReader& read, std::vector<Problem>& problems) {
  if (step.command.empty() || !step.command[0].starts_with("./") || step.command[0].find("${{") != std::string::npos)
    return;
  const std::string path = step.command[0].substr(2);
  if (!is_inner_path(path))
    problems.push_back({step.at, fmt::format("`{}` is not a path inside the pack", step.command[0]), "file"});
  else if (!read(path))
    problems.push_back(
        {step.at, fmt::format("step {} starts {}, which the pack does not have", step.id, step.command[0]), "file"});
}

void check_programs(const std::vector<Step>& steps, const FileReader& read, std::vector<Problem>& problems) {
  for (const Step& step : steps) {
    check_program(step, read, problems);
    check_programs(step.steps, read, problems);
    for (const Case& each : step.cases) check_programs(each.steps, read, problems);
    check_programs(step.otherwise, read, problems);
  }
}

}  // namespace

std::vector<Problem> check_files(const Manifest& manifest, const FileReader& read) {
  std::vector<Problem> problems;
  for (const Input& input : manifest.inputs) check_schema(input, read, problems);
  check_programs(manifest.steps, read, problems);
  check_programs(manifest.at_end, read, problems);
  return problems;
}

}  // namespace stella::pack
