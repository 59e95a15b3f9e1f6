// SPDX-License-Identifier: Apache-2.0
// What the parts of pack.yaml say of each other: names, order, expressions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "appliance/expression/expression.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "appliance/pack/names_read.hpp"
#include "appliance/pack/scopes.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

template <class List, class Member>
std::vector<std::string> names_of(const List& list, Member member) {
  std::vector<std::string> names;
  for (const auto& item : list) names.push_back(item.*member);
  return names;
}

class References {
 public:
  References(const Manifest& manifest, Findings& findings)
      : manifest_(manifest), findings_(findings), scopes_(manifest), names_(manifest, findings) {}

  void check() {
    for (const Place* place : scopes_.repeated()) note_repeat(*place);
    for (const Place& place : scopes_.places()) check_place(place);
    const std::size_t approvals = manifest_.approvals.size();
    for (std::size_t i = 0; i < approvals; ++i)
      names_.check_template(manifest_.approvals[i].message, fmt::format("/spec/approvals/{}/message", i),
                            {.scope = &scopes_.top(), .reads = Reads::inputs});
    for (std::size_t i = 0; i < manifest_.outputs.size(); ++i)
      names_.check_template(manifest_.outputs[i].value, fmt::format("/spec/outputs/{}/value", i),
                            {.scope = &scopes_.top(), .reads = Reads::everything});
  }

 private:
  void note_repeat(const Place& place) {
    const std::string& id = place.step->id;
    findings_.note(place.step->at + "/id",
                   place.scope->steps.contains(id)
                       ? fmt::format("step `{}` is there twice", id)
                       : fmt::format("step `{}` would hide the one of that name around this map or loop", id));
  }

  // Where a run step says `field`: in `run`, or beside it.
  [[nodiscard]] std::string where(const Step& step, const std::string& field) const {
    std::string inner = step.at + "/run/" + field;
    return step.kind == StepKind::run && findings_.document().has(inner) ? inner : step.at + "/" + field;
  }

  void check_place(const Place& place) {
    const Step& step = *place.step;
    const Reader reader{.scope = place.scope, .place = &place, .reads = Reads::everything};
    check_needs(place);
    names_.check_expression(step.when, where(step, "when"), reader);
    switch (step.kind) {
      case StepKind::run:
        return check_run(step, reader);
      case StepKind::gate_approval:
        return check_gate(place);
      case StepKind::gate_policy:
        names_.check_expression(step.expression, step.at + "/gate.policy/expression", reader);
        return names_.check_template(step.message, step.at + "/gate.policy/message",
                                     {.scope = place.scope, .place = &place, .reads = Reads::known});
      case StepKind::map:
      case StepKind::loop:
        return check_turns(place, reader);
      case StepKind::conditional:
        for (std::size_t i = 0; i < step.cases.size(); ++i)
          names_.check_expression(step.cases[i].when, fmt::format("{}/conditional/cases/{}/when", step.at, i), reader);
        return;
      default:
        return;
    }
  }

  // A step may need only steps that stand before it in the same list, so there are no cycles.
  void check_needs(const Place& place) {
    const Step& step = *place.step;
    if (!step.needs) return;
    for (std::size_t n = 0; n < step.needs->size(); ++n) {
      const std::string& need = (*step.needs)[n];
      const auto found = place.list->numbers.find(need);
      if (found != place.list->numbers.end() && found->second < place.number) continue;
      std::string what;
      if (found != place.list->numbers.end())
        what = fmt::format("step `{}` does not stand before this one, so it cannot be needed here", need);
      else if (place.scope->find(need) != nullptr)
        what = fmt::format("step `{}` stands in another list; `needs` names steps of the same list", need);
      else
        what = fmt::format("there is no step `{}`{}", canon::printable(need, 63), names_.guess(need, siblings(place)));
      findings_.note(fmt::format("{}/{}", where(step, "needs"), n), what);
    }
  }

  static std::vector<std::string> siblings(const Place& place) {
    std::vector<std::string> earlier;
    for (std::size_t i = 0; i < place.number; ++i) earlier.push_back(place.list->places[i]->step->id);
    return earlier;
  }

  void check_run(const Step& step, const Reader& reader) {
    for (std::size_t i = 0; i < step.command.size(); ++i)
      if (step.command[i].find("${{") != std::string::npos)
        names_.check_template(step.command[i], fmt::format("{}/run/command/{}", step.at, i), reader);
    for (const auto& [name, value] : step.env)
      if (value.find("${{") != std::string::npos) names_.check_template(value, where(step, "env") + "/" + name, reader);
    check_secrets(step);
    check_network(step);
  }

  void check_turns(const Place& place, const Reader& reader) {
    const Step& step = *place.step;
    const std::string at = fmt::format("{}/{}", step.at, name_of(step.kind));
    names_.check_expression(step.items.expression, at + "/items", reader);
    const Scope* body = scopes_.body_of(place);
    names_.check_expression(step.until, at + "/until",
                            {.scope = body, .place = &place, .reads = Reads::everything, .after_turn = true});
    for (const auto& [field, name] : {std::pair{"iterator", &step.iterator}, std::pair{"index", &step.index}}) {
      if (is_root(*name))
        findings_.note(at + "/" + field, fmt::format("`{}` would hide what expressions read under that name", *name));
      else if (!name->empty() && place.scope->has_iterator(*name))
        findings_.note(
            at + "/" + field,
            fmt::format("`{}` is an iterator of a map or loop around this one already; name another", *name));
    }
  }

  void check_gate(const Place& place) {
    const Step& step = *place.step;
    const std::string at = step.at + "/gate.approval/approval";
    const Place* outer = &place;
    while (outer->parent != nullptr) outer = outer->parent;
    if (outer->list->at_end)
      findings_.note(step.at, "`finally` runs whatever happened, so it cannot wait for approval");
    if (step.approval.empty()) return;
    if (!gates_.insert(step.approval).second)
      findings_.note(at, fmt::format("approval `{}` already has a gate; a gate is one step", step.approval));
    if (manifest_.find_approval(step.approval) == nullptr)
      findings_.note(
          at, fmt::format("there is no approval `{}` under spec.approvals{}", canon::printable(step.approval, 63),
                          names_.guess(step.approval, names_of(manifest_.approvals, &Approval::id))));
  }

  void check_secrets(const Step& step) {
    for (std::size_t i = 0; i < step.secrets.size(); ++i) {
      const Secret* secret = manifest_.find_secret(step.secrets[i]);
      const std::string at = fmt::format("{}/{}", where(step, "secrets"), i);
      if (secret == nullptr)
        findings_.note(
            at, fmt::format("there is no secret `{}` under spec.secrets{}", canon::printable(step.secrets[i], 63),
                            names_.guess(step.secrets[i], names_of(manifest_.secrets, &Secret::name))));
      else if (!secret->env.empty() && step.env.contains(secret->env))
        findings_.note(at, fmt::format("secret `{}` and `env` both set {}", secret->name, secret->env));
    }
  }

  void check_network(const Step& step) {
    if (!step.network) return;
    for (std::size_t i = 0; i < step.network->size(); ++i) {
      const Ask& ask = (*step.network)[i];
      const bool known = std::ranges::any_of(
          manifest_.network, [&](const Ask& each) { return each.host == ask.host && each.port == ask.port; });
      if (!known)
        findings_.note(fmt::format("{}/{}", where(step, "network"), i),
                       fmt::format("{} port {} is not under spec.network{}", ask.host, ask.port,
                                   names_.guess(ask.host, names_of(manifest_.network, &Ask::host))));
    }
  }

  const Manifest& manifest_;
  Findings& findings_;
  Scopes scopes_;
  NamesRead names_;
  std::unordered_set<std::string_view> gates_;
};

}  // namespace

void check_references(const Manifest& manifest, Findings& findings) {
  References(manifest, findings).check();
}

}  // namespace stella::pack
