// SPDX-License-Identifier: Apache-2.0
// The command table: all nouns, in the order of the help. A noun that is built adds its line here.
#include <iterator>

#include "appliance/cli/command.hpp"
#include "appliance/cli/token.hpp"

namespace stella::cli {

std::vector<Command> all_commands() {
  std::vector<Command> all;
  const auto add = [&](std::vector<Command> rows) {
    all.insert(all.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  };
  add(key_commands());
  add(site_commands());
  add(pack_author_commands());
  add(pack_check_commands());
  add(pack_eval_commands());
  add(pack_check_schema_commands());
  add(pack_plan_commands());
  add(pack_run_commands());
  add(pack_approve_commands());
  add(approval_commands());
  add(pack_mirror_commands());
  add(mirror_commands());
  add(vault_commands());
  add(evidence_commands());
  add(logs_commands());
  add(traces_commands());
  add(metrics_commands());
  add(notify_commands());
  add(spool_commands());
  add(chaos_commands());
  add(serve_commands());
  add(token_commands());
  add(doctor_commands());
  add(general_commands());
  add(completion_commands());
  add(planned_commands());
  return all;
}

}  // namespace stella::cli
