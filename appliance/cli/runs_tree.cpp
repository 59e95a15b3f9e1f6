// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/runs_tree.hpp"

#include <fmt/format.h>

#include <map>

#include "appliance/cli/state_mark.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"

namespace stella::cli {
namespace {

using canon::Json;

constexpr std::size_t kLargeGroup = 50, kShownOfLarge = 10;

bool is_done(const std::string& state) {
  return state == "succeeded" || state == "continued" || state == "skipped";
}
// What somebody who looks at a thousand members wants to see first.
bool stands_out(const std::string& state) {
  return state == "failed" || state == "unknown" || state == "running" || state == "waiting";
}

class Tree {
 public:
  Tree(Output& out, const Json& steps, Fold fold) : out_(&out), fold_(fold) {
    for (const Json& row : steps) members_[canon::text_in(row, "parent")].push_back(&row);
  }
  void say(const std::string& parent, const std::string& indent) const {
    const auto found = members_.find(parent);
    if (found == members_.end()) return;
    std::vector<const Json*> shown;
    std::size_t left_out = 0;
    choose(found->second, shown, left_out);
    const bool counts = left_out > 0 && parent.empty();
    if (counts) out_->say(fmt::format("{}  {}", indent, counts_of(found->second)));
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const bool last = i + 1 == shown.size() && left_out == 0;
      say_row(*shown[i], indent + (last ? "└─ " : "├─ "));
      say(canon::text_in(*shown[i], "step"), indent + (last ? "   " : "│  "));
    }
    if (left_out > 0) out_->say(out_->faint(fmt::format("{}└─ … {} more (--all shows them)", indent, left_out)));
  }

 private:
  [[nodiscard]] bool is_folded(const std::vector<const Json*>& members) const {
    return fold_ == Fold::large_groups && members.size() > kLargeGroup;
  }
  void choose(const std::vector<const Json*>& members, std::vector<const Json*>& shown, std::size_t& left_out) const {
    for (const Json* row : members) {
      const bool wanted =
          !is_folded(members) || (stands_out(canon::text_in(*row, "state")) && shown.size() < kShownOfLarge);
      if (wanted) {
        shown.push_back(row);
      } else {
        ++left_out;
      }
    }
  }
  [[nodiscard]] static std::string counts_of(const std::vector<const Json*>& members) {
    std::size_t done = 0;
    std::map<std::string, std::size_t> others;
    for (const Json* row : members) {
      const std::string state = canon::text_in(*row, "state");
      if (is_done(state)) ++done;
      if (stands_out(state)) ++others[state];
    }
    std::string text = fmt::format("{}/{} done", done, members.size());
    for (const auto& [state, count] : others) text += fmt::format(", {} {}", count, state);
    return text;
  }
  void say_row(const Json& row, const std::string& indent) const {
    const std::string state = canon::text_in(row, "state"), kind = canon::text_in(row, "kind"),
                      id = canon::text_in(row, "step");
    std::string line = fmt::format("{}{} {}", indent, in_colour_of(*out_, state, shape_of(state)), out_->strong(id));
    if (!kind.empty() && kind != "run" && kind != "item") line += out_->faint(fmt::format(" ({})", kind));
    line += "  " + in_colour_of(*out_, state, state);
    if (const auto found = members_.find(id); found != members_.end() && is_folded(found->second))
      line += "  " + counts_of(found->second);
    if (row.contains("elapsedMs")) line += "  " + span_text(clock::Duration(canon::integer_in(row, "elapsedMs")));
    if (const auto tries = canon::integer_in(row, "tries"); tries > 1) line += fmt::format("  {} tries", tries);
    const std::string reason = canon::text_in(row, "reason");
    if (!reason.empty()) line += fmt::format("  {}", canon::printable(reason, 80));
    if (reason == "exit") line += fmt::format(" {}", canon::integer_in(row, "exit"));
    out_->say(line);
  }

  Output* out_;
  Fold fold_;
  std::map<std::string, std::vector<const Json*>> members_;  // by parent, in plan order
};

}  // namespace

void say_tree(Output& out, const Json& steps, Fold fold) {
  Tree(out, steps, fold).say({}, "  ");
}

}  // namespace stella::cli
