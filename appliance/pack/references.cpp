// SPDX-License-Identifier: Apache-2.0
// What the parts of pack.yaml say of each other: names, order, expressions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "appliance/expression/expression.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

using Path = std::vector<std::string>;

template <class List, class Member>
std::vector<std::string> names_of(const List& list, Member member) {
  std::vector<std::string> names;
  for (const auto& item : list) names.push_back(item.*member);
  return names;
}

std::string guess(const std::string& word, const std::vector<std::string>& candidates) {
  const auto near = canon::nearest(word, candidates);
  return near ? fmt::format(", did you mean `{}`?", *near) : std::string{};
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

enum class Reads { inputs_only, everything };

class References {
 public:
  References(const Manifest& manifest, Findings& findings) : manifest_(manifest), findings_(findings) {}

  void check() {
    check_ids();
    for (std::size_t i = 0; i < manifest_.steps.size(); ++i) before_.push_back(check_needs(i));
    for (std::size_t i = 0; i < manifest_.steps.size(); ++i) check_step(i);
    for (std::size_t i = 0; i < manifest_.approvals.size(); ++i)
      check_template(manifest_.approvals[i].message, fmt::format("/spec/approvals/{}/message", i), {},
                     Reads::inputs_only);
  }

 private:
  static std::string pointer(std::size_t step) { return fmt::format("/spec/steps/{}", step); }

  // Where a run step says `field`: in `run`, or beside it.
  [[nodiscard]] std::string place(std::size_t step, const std::string& field) const {
    const std::string inner = pointer(step) + "/run/" + field;
    return findings_.document().marks.contains(inner) ? inner : pointer(step) + "/" + field;
  }

  void check_ids() {
    std::set<std::string> steps, gates;
    for (std::size_t i = 0; i < manifest_.steps.size(); ++i) {
      const Step& step = manifest_.steps[i];
      if (!step.id.empty() && !steps.insert(step.id).second)
        findings_.note(pointer(i) + "/id", fmt::format("step `{}` is there twice", step.id));
      if (!step.approval.empty() && !gates.insert(step.approval).second)
        findings_.note(pointer(i) + "/gate.approval/approval",
                       fmt::format("approval `{}` already has a gate; a gate is one step", step.approval));
    }
  }

  // The steps that are done before this one. A step may need only steps that stand before it, so there are no cycles.
  std::set<std::string> check_needs(std::size_t index) {
    const Step& step = manifest_.steps[index];
    std::set<std::string> done;
    std::vector<std::string> earlier;
    for (std::size_t i = 0; i < index; ++i) earlier.push_back(manifest_.steps[i].id);
    if (!step.needs) return {earlier.begin(), earlier.end()};
    for (std::size_t n = 0; n < step.needs->size(); ++n) {
      const std::string& need = (*step.needs)[n];
      const auto found = std::ranges::find(earlier, need);
      if (found == earlier.end()) {
        const bool exists = manifest_.find_step(need) != nullptr;
        findings_.note(fmt::format("{}/{}", place(index, "needs"), n),
                       exists
                           ? fmt::format("step `{}` does not stand before this one, so it cannot be needed here", need)
                           : fmt::format("there is no step `{}`{}", canon::printable(need, 63), guess(need, earlier)));
        continue;
      }
      const auto& theirs = before_[static_cast<std::size_t>(found - earlier.begin())];
      done.insert(theirs.begin(), theirs.end());
      done.insert(need);
    }
    return done;
  }

  void check_step(std::size_t index) {
    const Step& step = manifest_.steps[index];
    if (!step.when.empty()) check_expression(step.when, place(index, "when"), before_[index]);
    if (step.kind == StepKind::gate_approval) return check_gate(index);
    if (step.kind == StepKind::gate_policy) {
      check_expression(step.expression, pointer(index) + "/gate.policy/expression", before_[index]);
      return check_template(step.message, pointer(index) + "/gate.policy/message", {}, Reads::inputs_only);
    }
    for (std::size_t i = 0; i < step.command.size(); ++i)
      check_template(step.command[i], fmt::format("{}/run/command/{}", pointer(index), i), before_[index],
                     Reads::everything);
    for (const auto& [name, value] : step.env)
      check_template(value, place(index, "env") + "/" + name, before_[index], Reads::everything);
    check_secrets(index);
    check_network(index);
  }

  void check_gate(std::size_t index) {
    const std::string& approval = manifest_.steps[index].approval;
    if (approval.empty() || manifest_.find_approval(approval) != nullptr) return;
    findings_.note(pointer(index) + "/gate.approval/approval",
                   fmt::format("there is no approval `{}` under spec.approvals{}", canon::printable(approval, 63),
                               guess(approval, names_of(manifest_.approvals, &Approval::id))));
  }

  void check_secrets(std::size_t index) {
    const Step& step = manifest_.steps[index];
    for (std::size_t i = 0; i < step.secrets.size(); ++i) {
      const Secret* secret = manifest_.find_secret(step.secrets[i]);
      const std::string where = fmt::format("{}/{}", place(index, "secrets"), i);
      if (secret == nullptr)
        findings_.note(
            where, fmt::format("there is no secret `{}` under spec.secrets{}", canon::printable(step.secrets[i], 63),
                               guess(step.secrets[i], names_of(manifest_.secrets, &Secret::name))));
      else if (!secret->env.empty() && step.env.contains(secret->env))
        findings_.note(where, fmt::format("secret `{}` and `env` both set {}", secret->name, secret->env));
    }
  }

  void check_network(std::size_t index) {
    const Step& step = manifest_.steps[index];
    if (!step.network) return;
    for (std::size_t i = 0; i < step.network->size(); ++i) {
      const Ask& ask = (*step.network)[i];
      const bool known = std::ranges::any_of(
          manifest_.network, [&](const Ask& each) { return each.host == ask.host && each.port == ask.port; });
      if (!known)
        findings_.note(fmt::format("{}/{}", place(index, "network"), i),
                       fmt::format("{} port {} is not under spec.network{}", ask.host, ask.port,
                                   guess(ask.host, names_of(manifest_.network, &Ask::host))));
    }
  }

  void check_expression(const std::string& text, const std::string& where, const std::set<std::string>& before) {
    if (text.find("${{") != std::string::npos)
      return findings_.note(where, "an expression stands here by itself, without `${{ }}`", "expression-syntax");
    try {
      check_names(expression::Expression::parse(text, findings_.document().at(where)).names(), where, before,
                  Reads::everything);
    } catch (const fault::Error& error) {
      findings_.note_at({error.at(), error.what(), error.reason()});
    }
  }

  void check_template(const std::string& text, const std::string& where, const std::set<std::string>& before,
                      Reads reads) {
    try {
      check_names(expression::Template::parse(text, findings_.document().at(where)).names(), where, before, reads);
    } catch (const fault::Error& error) {
      findings_.note_at({error.at(), error.what(), error.reason()});
    }
  }

  void check_names(const std::vector<Path>& names, const std::string& where, const std::set<std::string>& before,
                   Reads reads) {
    for (const Path& path : names)
      if (const std::string problem = problem_of(path, before, reads); !problem.empty())
        findings_.note(where, problem, "expression-name");
  }

  [[nodiscard]] std::string problem_of(const Path& path, const std::set<std::string>& before, Reads reads) const {
    const std::string& root = path[0];
    if (root == "secrets") return "secrets cannot be read by an expression; list the secret under the step's `secrets`";
    if (root == "inputs") return path.size() < 2 ? "" : member(path, names_of(manifest_.inputs, &Input::name), "input");
    if (reads == Reads::inputs_only)
      return fmt::format("`{}`: a gate's message is fixed when the pack is planned, so it reads inputs only",
                         canon::printable(root, 63));
    if (root == "steps") return path.size() < 2 ? "" : step_problem(path, before);
    if (root == "run")
      return path.size() < 2 ? ""
                             : member(path, {"id", "attempt", "tenant", "pack", "version", "planHash"}, "field of run");
    if (root == "approvals") return path.size() < 2 ? "" : approval_problem(path);
    return fmt::format("unknown name `{}`{} (there are inputs, steps, run, approvals)", canon::printable(root, 63),
                       guess(root, {"inputs", "steps", "run", "approvals"}));
  }

  static std::string member(const Path& path, const std::vector<std::string>& known, std::string_view what,
                            std::size_t level = 1) {
    if (path.size() <= level || contains(known, path[level])) return {};
    return fmt::format("there is no {} `{}`{}", what, canon::printable(path[level], 63), guess(path[level], known));
  }

  [[nodiscard]] std::string approval_problem(const Path& path) const {
    const std::string problem = member(path, names_of(manifest_.approvals, &Approval::id), "approval");
    return problem.empty() ? member(path, {"approvers"}, "field of an approval", 2) : problem;
  }

  [[nodiscard]] std::string step_problem(const Path& path, const std::set<std::string>& before) const {
    if (!before.contains(path[1])) {
      if (manifest_.find_step(path[1]) != nullptr)
        return fmt::format("step `{}` is not done before this one; a step that this one needs is", path[1]);
      return member(path, {before.begin(), before.end()}, "step");
    }
    return member(path, {"state", "exit", "outputs"}, "field of a step", 2);
  }

  const Manifest& manifest_;
  Findings& findings_;
  std::vector<std::set<std::string>> before_;
};

}  // namespace

void check_references(const Manifest& manifest, Findings& findings) {
  References(manifest, findings).check();
}

}  // namespace stella::pack
