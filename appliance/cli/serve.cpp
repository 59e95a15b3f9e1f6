// SPDX-License-Identifier: Apache-2.0
// serve: the console and its API for people on this machine, or the socket of a service home.
#include <fmt/format.h>

#include "appliance/cli/serve_operators.hpp"
#include "appliance/console/serve.hpp"

namespace stella::cli {
namespace {

int serve_console(Invocation& call) {
  console::Serving serving;
  serving.address = http::parse_address(call.value("--listen").value_or("127.0.0.1:8080"));
  serving.textfile = call.value("--textfile").value_or("");
  serving.traces = call.value("--traces").value_or("");
  Output& out = call.out();
  serving.on_ready = [&out](const http::Address& address) {
    out.say(fmt::format("serving {}", http::name_of(address)));
    if (!address.is_unix()) out.note(fmt::format("the console: {}/console/packs/runs", http::name_of(address)));
    out.event({{"event", "serving"}, {"address", http::name_of(address)}});
  };
  serving.on_trouble = [&out](const std::string& what) { out.note("note: " + what); };
  const files::Home& home = call.home();
  console::serve(home, call.clock(), serving);
  out.note("stopped");
  out.result({{"stopped", true}});
  return 0;
}

int serve(Invocation& call) {
  if (!serves_operators(call)) return serve_console(call);
  if (call.value("--listen"))
    throw fault::Error(fault::Code::usage, "address", "--socket and --listen are two servers", "--listen",
                       "Start `stella serve` twice, once with each.");
  return serve_operators(call);
}

}  // namespace

std::vector<Command> serve_commands() {
  return {{.path = {"serve"},
           .summary = "the console and its API, or the socket of a service home; until Ctrl-C",
           .example = "stella serve --listen 127.0.0.1:8080",
           .positionals = {},
           .options = {{.name = "--listen",
                        .value = "ADDRESS",
                        .help = "127.0.0.1:PORT, [::1]:PORT or unix:PATH (default 127.0.0.1:8080)"},
                       {.name = "--textfile",
                        .value = "FILE",
                        .help = "also write the metrics there every 15 s, for node_exporter"},
                       {.name = "--traces",
                        .value = "DIR",
                        .help = "also write the traces of runs that have ended there, as `traces export` does"},
                       serve_socket_option()},
           .act = serve}};
}

}  // namespace stella::cli
