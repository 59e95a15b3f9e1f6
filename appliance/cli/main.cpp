// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/command.hpp"

int main(int argc, char** argv) {
  return stella::cli::run_command_line(argc, argv);
}
