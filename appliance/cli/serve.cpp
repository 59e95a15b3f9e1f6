// SPDX-License-Identifier: Apache-2.0
// serve: the socket of a service home.
#include "appliance/cli/serve_operators.hpp"

namespace stella::cli {
namespace {

int serve(Invocation& call) {
  if (serves_operators(call)) return serve_operators(call);
  throw fault::Error(fault::Code::usage, "address", "nothing says where to serve", "--socket",
                     "Say --socket in a service home.");
}

}  // namespace

std::vector<Command> serve_commands() {
  return {{.path = {"serve"},
           .summary = "do the work of a service home for its operators, until Ctrl-C",
           .example = "stella serve --socket /run/stella/service.socket",
           .positionals = {},
           .options = {serve_socket_option()},
           .act = serve}};
}

}  // namespace stella::cli
