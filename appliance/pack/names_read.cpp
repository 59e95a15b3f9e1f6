// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/names_read.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "appliance/expression/expression.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

constexpr std::array<std::string_view, 5> kRoots = {"inputs", "steps", "run", "approvals", "secrets"};
constexpr std::size_t kMaxGuesses = 100;

// What an expression can read of a step.
std::vector<std::string> fields_of(StepKind kind) {
  switch (kind) {
    case StepKind::parallel:
      return {"state"};
    case StepKind::conditional:
      return {"state", "case"};
    case StepKind::map:
    case StepKind::loop:
      return {"state", "items"};
    default:
      return {"state", "exit", "outputs"};
  }
}

std::vector<std::string> names_of_inputs(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const Input& each : manifest.inputs) names.push_back(each.name);
  return names;
}

}  // namespace

bool is_root(std::string_view name) {
  return std::ranges::find(kRoots, name) != kRoots.end();
}

std::string NamesRead::guess(const std::string& word, const std::vector<std::string>& candidates) const {
  if (findings_.count() > kMaxGuesses) return {};
  const auto near = canon::nearest(word, candidates);
  return near ? fmt::format(", did you mean `{}`?", *near) : std::string{};
}

void NamesRead::check_expression(const std::string& text, const std::string& pointer, const Reader& reader) {
  if (text.empty()) return;
  try {
    const auto parsed = expression::Expression::parse(text, findings_.document().at(pointer));
    check_names(parsed.names(), pointer, reader);
    if (parsed.reads_everything())
      findings_.note(pointer, "an expression names what it reads; `@` or `*` alone would read everything",
                     "expression-name");
  } catch (const fault::Error& error) {
    findings_.note_at({error.at(), error.what(), error.reason()});
  }
}

void NamesRead::check_template(const std::string& text, const std::string& pointer, const Reader& reader) {
  if (text.empty()) return;
  try {
    const auto parsed = expression::Template::parse(text, findings_.document().at(pointer));
    check_names(parsed.names(), pointer, reader);
    if (parsed.reads_everything())
      findings_.note(pointer, "an expression names what it reads; `@` or `*` alone would read everything",
                     "expression-name");
  } catch (const fault::Error& error) {
    findings_.note_at({error.at(), error.what(), error.reason()});
  }
}

void NamesRead::check_names(const std::vector<Path>& names, const std::string& pointer, const Reader& reader) {
  for (const Path& path : names)
    if (const std::string problem = problem_of(path, reader); !problem.empty())
      findings_.note(pointer, problem, "expression-name");
}

std::vector<std::string> NamesRead::roots(const Reader& reader) const {
  std::vector<std::string> names = {"inputs"};
  if (reader.reads == Reads::everything) names.insert(names.end(), {"steps", "run", "approvals"});
  if (reader.reads == Reads::inputs) return names;
  for (const Scope* scope = reader.scope; scope->owner != nullptr; scope = scope->around) {
    names.push_back(scope->owner->iterator);
    if (!scope->owner->index.empty()) names.push_back(scope->owner->index);
  }
  return names;
}

std::string NamesRead::problem_of(const Path& path, const Reader& reader) const {
  const std::string& root = path[0];
  if (root == "secrets") return "secrets cannot be read by an expression; list the secret under the step's `secrets`";
  if (root == "inputs") return path.size() < 2 ? "" : member(path, names_of_inputs(manifest_), "input");
  if (reader.reads != Reads::inputs && reader.scope->has_iterator(root)) return {};
  if (reader.reads != Reads::everything && is_root(root))
    return fmt::format("`{}`: a gate's message is fixed when the pack is planned, so it reads {} only",
                       canon::printable(root, 63), fmt::join(roots(reader), ", "));
  if (root == "run")
    return path.size() < 2 ? ""
                           : member(path, {"id", "attempt", "tenant", "pack", "version", "planHash"}, "field of run");
  if (root == "steps" && path.size() < 2) return "an expression names the step that it reads: steps.ID";
  if (root == "approvals" && path.size() < 2) return "an expression names the approval that it reads: approvals.ID";
  if (root == "steps") return step_problem(path, reader);
  if (root == "approvals") return approval_problem(path);
  if (manifest_.find_secret(root) != nullptr)
    return fmt::format("`{}` is a secret; secrets cannot be read by an expression, list it under the step's `secrets`",
                       canon::printable(root, 63));
  return fmt::format("unknown name `{}`{} (there are {})", canon::printable(root, 63), guess(root, roots(reader)),
                     fmt::join(roots(reader), ", "));
}

std::string NamesRead::member(const Path& path, const std::vector<std::string>& known, std::string_view what,
                              std::size_t level) const {
  if (path.size() <= level || std::ranges::find(known, path[level]) != known.end()) return {};
  return fmt::format("there is no {} `{}`{}", what, canon::printable(path[level], 63), guess(path[level], known));
}

std::string NamesRead::approval_problem(const Path& path) const {
  std::vector<std::string> ids;
  for (const Approval& each : manifest_.approvals) ids.push_back(each.id);
  std::string problem = member(path, ids, "approval");
  return problem.empty() ? member(path, {"approvers"}, "field of an approval", 2) : problem;
}

std::string NamesRead::step_problem(const Path& path, const Reader& reader) const {
  const Place* target = reader.scope->find(path[1]);
  if (target == nullptr) {
    const bool guesses = findings_.count() <= kMaxGuesses;
    return fmt::format("there is no step `{}`{}", canon::printable(path[1], 63),
                       guess(path[1], guesses ? reader.scope->names(true) : std::vector<std::string>{}));
  }
  const bool done = reader.place == nullptr || (reader.after_turn ? Scopes::is_done_after_turn(*target, *reader.place)
                                                                  : Scopes::is_done_before(*target, *reader.place));
  if (!done) return fmt::format("step `{}` is not done before this one; a step that this one needs is", path[1]);
  if (path.size() > 3 && path[2] == "outputs" && !target->step->outputs.empty()) {
    std::vector<std::string> declared;
    for (const auto& [name, type] : target->step->outputs) declared.push_back(name);
    return member(path, declared, fmt::format("output of step `{}` called", path[1]), 3);
  }
  return member(path, fields_of(target->step->kind), fmt::format("field of a {} step", name_of(target->step->kind)), 2);
}

}  // namespace stella::pack
