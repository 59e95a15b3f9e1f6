// SPDX-License-Identifier: Apache-2.0
// serve: the console and its API for people on this machine, the socket of a service home, or both.
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

#include "appliance/chores/keeper.hpp"
#include "appliance/cli/serve_operators.hpp"
#include "appliance/console/serve.hpp"

namespace stella::cli {
namespace {

bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// Readable once somebody wants the server to end. Before any other thread: they inherit what is blocked. A signal that
// whoever started it chose to ignore, as nohup does with SIGHUP, stays ignored.
files::Fd catch_end() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    if (!is_ignored(number)) sigaddset(&ends, number);
  files::Fd fd(::sigprocmask(SIG_BLOCK, &ends, nullptr) == 0 ? ::signalfd(-1, &ends, SFD_CLOEXEC) : -1);
  if (!fd) throw fault::system_error(errno, "watching", "signals");
  return fd;
}

std::unique_ptr<console::Server> open_console(Invocation& call, const chores::Trouble& trouble) {
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
  serving.on_trouble = trouble;
  return std::make_unique<console::Server>(call.home(), call.clock(), serving);
}

void wait_for_end(const files::Fd& stop, const std::function<void()>& turn) {
  for (;;) {
    struct pollfd ending {
      stop.get(), POLLIN, 0
    };
    if (::poll(&ending, 1, 500) > 0) return;
    turn();
  }
}

// Without --socket the console, by default; with it only where it was asked for.
bool serves_console(const Invocation& call) {
  return call.value("--listen").has_value() || !serves_operators(call);
}

int serve(Invocation& call) {
  if (!serves_console(call))
    for (const char* option : {"--textfile", "--traces"})
      if (call.value(option))
        throw fault::Error(fault::Code::usage, "listen", "only the console's server publishes files", option,
                           "Give --listen ADDRESS too.");
  const files::Fd stop = catch_end();
  Output& out = call.out();
  const chores::Trouble trouble = [&out](const std::string& what) { out.note("note: " + what); };
  std::unique_ptr<console::Server> desk;
  if (serves_console(call)) desk = open_console(call, trouble);
  chores::Keeper keeper(call.home(), trouble);
  const auto turn = [&] {
    const auto now = std::chrono::steady_clock::now();
    if (desk) desk->turn(now);
    keeper.turn(now);
  };
  const auto close = [&] {
    if (desk) desk->close();
  };
  if (serves_operators(call)) {
    serve_operators(call, {.stop = stop, .turn = turn, .stopping = close});
  } else {
    wait_for_end(stop, turn);
    close();
  }
  out.note("stopped");
  out.result({{"stopped", true}});
  return 0;
}

}  // namespace

std::vector<Command> serve_commands() {
  return {
      {.path = {"serve"},
       .summary = "the console and its API, the socket of a service home, or both; until Ctrl-C",
       .example = "stella serve --listen 127.0.0.1:8080",
       .positionals = {},
       .options = {{.name = "--listen",
                    .value = "ADDRESS",
                    .help =
                        "127.0.0.1:PORT, [::1]:PORT or unix:PATH (default 127.0.0.1:8080; with --socket: no console)"},
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
