// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/serve_operators.hpp"

#include <fmt/format.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <iostream>

#include "appliance/service/server.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::cli {
namespace {

// Readable once somebody wants the service to end.
files::Fd catch_end() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends, number);
  files::Fd fd(::sigprocmask(SIG_BLOCK, &ends, nullptr) == 0 ? ::signalfd(-1, &ends, SFD_CLOEXEC) : -1);
  if (!fd) throw fault::system_error(errno, "watching", "signals");
  return fd;
}

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

int serve_operators(Invocation& call) {
  const auto service = site::load_service_home();
  const std::string given = call.value("--socket").value_or("");
  service::Serving serving{.socket = !given.empty() ? given
                                     : service      ? service->socket
                                                    : "",
                           .group = service ? service->group : "",
                           .log = log_line,
                           .ready = {}};
  serving.ready = [&] {
    call.out().say(fmt::format("serving operators at {}", serving.socket));
    call.out().event({{"event", "serving"}, {"socket", serving.socket}});
    std::cout << std::flush;
  };
  const files::Fd stop = catch_end();
  service::serve(call.home(), serving, stop);
  call.out().note("stopped");
  return 0;
}

}  // namespace stella::cli
