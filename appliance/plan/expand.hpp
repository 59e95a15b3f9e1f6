// SPDX-License-Identifier: Apache-2.0
// Steps from templates: the one way in which steps come to be, for a whole plan and for a turn that only the run could
// make. Pure; one thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "appliance/plan/words.hpp"

namespace stella::plan {

inline constexpr std::size_t kMaxPlanned = 200000;  // steps of a plan, turns and their steps included
// Bytes of a plan. Counted while it grows, because a few templates over many long items would fill the memory before
// the plan is written; the rest of a step counts as kStepBytes.
inline constexpr std::size_t kMaxPlanBytes = std::size_t{16} << 20, kStepBytes = 64;

class Expansion {
 public:
  explicit Expansion(Known& known) : known_(known) {}
  // The steps of the templates at top level.
  void add(const std::vector<Step>& templates);
  // One turn of a map or loop, and all in it.
  void add_turn(const Step& group, const std::vector<Step>& body, int number, const canon::Json& item);
  [[nodiscard]] std::vector<Step> take() { return std::move(steps_); }

 private:
  struct Around {  // where templates are written
    std::string prefix, parent;
    std::shared_ptr<const Turn> turn;
    bool skipped = false;
  };
  void write(const std::vector<Step>& templates, const Around& around);
  void write_step(const Step& from, const Around& around);
  void fill(Step& step, const std::string& prefix);
  void fill_body(std::vector<Step>& body, const std::string& prefix);
  void decide_class(Step& step);
  void decide_cases(const Step& step);
  void write_turns(Step group, std::vector<Step> body);
  [[nodiscard]] std::optional<canon::Json> items_known(const Step& group);
  void push(Step step);

  Known& known_;
  std::vector<Step> steps_;
  std::size_t bytes_ = 0;
  std::unordered_set<std::string> skipped_;
  std::unordered_map<std::string, std::vector<bool>> closed_;  // conditional -> branches that are surely not taken
};

// Throws `code`, reason `items` for what is no list, `turns` for more than the group allows.
void require_items(const Step& group, const canon::Json& items, fault::Code code);

}  // namespace stella::plan
