// SPDX-License-Identifier: Apache-2.0
// Verbs of the contract that come with a later version: refused by name, with what to do today.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/cli/command.hpp"

namespace stella::cli {

Command refused_for_now(std::vector<std::string> path, const std::string& instead) {
  const std::string name = fmt::format("stella {}", fmt::join(path, " "));
  Command row;
  row.path = std::move(path);
  row.summary = "comes with a later version";
  row.example = name;
  row.takes_anything = true;
  row.act = [name, instead](Invocation&) -> int {
    throw fault::Error(fault::Code::usage, "not-yet", fmt::format("`{}` comes with a later version", name), {},
                       instead);
  };
  return row;
}

void refuse_option_for_now(const std::string& option, const std::string& instead) {
  throw fault::Error(fault::Code::usage, "not-yet", fmt::format("`{}` comes with a later version", option), {},
                     instead);
}

std::vector<Command> planned_commands() {
  return {
      refused_for_now({"evidence", "repair"}, "Export the evidence again from the appliance."),
  };
}

}  // namespace stella::cli
