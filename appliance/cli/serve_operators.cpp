// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/serve_operators.hpp"

#include <fmt/format.h>

#include <iostream>

#include "appliance/service/server.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::cli {
namespace {

// systemd's journal reads the level in front of the line; a refusal is a warning.
void log_line(const std::string& line) {
  std::cerr << "<4>" << canon::printable(line) << '\n' << std::flush;
}

}  // namespace

Option serve_socket_option() {
  return {.name = "--socket",
          .value = "PATH",
          .help = "serve the operators of a service home there (default: as /etc/stella/service.json says)",
          .optional_value = true};
}

bool serves_operators(const Invocation& call) {
  return call.flag("--socket") || call.value("--socket").has_value();
}

void serve_operators(Invocation& call, const Beside& beside) {
  const auto service = site::load_service_home();
  const std::string given = call.value("--socket").value_or("");
  service::Serving serving{.socket = !given.empty() ? given
                                     : service      ? service->socket
                                                    : "",
                           .group = service ? service->group : "",
                           .log = log_line,
                           .ready = {},
                           .turn = beside.turn,
                           .stopping = beside.stopping};
  serving.ready = [&] {
    call.out().say(fmt::format("serving operators at {}", serving.socket));
    call.out().event({{"event", "serving"}, {"socket", serving.socket}});
    std::cout << std::flush;
  };
  service::serve(call.home(), serving, beside.stop);
}

}  // namespace stella::cli
