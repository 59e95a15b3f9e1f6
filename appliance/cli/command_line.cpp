// SPDX-License-Identifier: Apache-2.0
// From argv to a verb: builds the CLI11 parser from the table, runs the row, prints the error once.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>

#include "appliance/cli/command.hpp"
#include "appliance/cli/invocation.hpp"
#include "appliance/cli/notifying.hpp"
#include "appliance/cli/service_call.hpp"
#include "appliance/service/order.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

// A caller may have closed 0, 1 or 2: the next file opened would then be our standard output.
void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

void add_globals(CLI::App& app, Parsed& parsed) {
  const std::string group = "Global options";
  app.add_option("--home", parsed.home, "the home folder (default $STELLA_HOME, else ~/.stella)")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--tenant", parsed.tenant, "the tenant (default $STELLA_TENANT, else the policy's only one)")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--profile", parsed.profile, "a profile of the home (comes with a later version)")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--output", parsed.output, "table, json or ndjson")->type_name("FORMAT")->group(group);
  app.add_flag("--quiet,-q", parsed.quiet, "no progress and hints")->group(group);
  app.add_flag("--yes,-y", parsed.yes, "answer yes to what would be asked")->group(group);
  app.add_option("--passphrase-file", parsed.passphrase_files,
                 "a file (mode 0600, or -) that answers the next prompt; repeatable")
      ->type_name("FILE")
      ->type_size(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(group);
  app.add_option("--passphrase-fd", parsed.passphrase_fd, "a descriptor that answers prompts")
      ->type_name("N")
      ->group(group);
}

void add_arguments(CLI::App& app, const Command& command, Parsed& parsed) {
  for (const Positional& positional : command.positionals) {
    auto* option = app.add_option(positional.name, parsed.values[positional.name], positional.help);
    option->required(positional.required)->type_name("");
    if (positional.repeatable) {
      option->expected(positional.required ? 1 : 0, 10000);
    } else {
      // CLI11 2.3 lets a vector's positional swallow what follows it, whatever `expected` says.
      option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw)->allow_extra_args(false);
    }
  }
  for (const Option& row : command.options) {
    if (row.value.empty()) {
      auto* flag = app.add_flag_callback(
          row.name, [&parsed, name = row.name] { parsed.flags.insert(name); }, row.help);
      if (row.hidden) flag->group("");
      continue;
    }
    auto* option = app.add_option(row.name, parsed.values[row.name], row.help);
    if (row.hidden) option->group("");
    option->required(row.required)->type_name(row.value)->type_size(1)->allow_extra_args(false);
    if (!row.repeatable) option->expected(1);  // else the help says `...`, as if it could be given again
    option->multi_option_policy(row.repeatable ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
    if (row.optional_value) {
      option->expected(0, 1);
      option->each([&parsed, name = row.name](const std::string&) { parsed.flags.insert(name); });
    }
  }
}

CLI::App* find_or_add(CLI::App* parent, const std::string& name, const std::string& about) {
  const auto found = parent->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == name; });
  if (!found.empty()) return found.front();
  CLI::App* made = parent->add_subcommand(name, about);
  made->fallthrough();
  return made;
}

const std::map<std::string, std::string>& noun_summaries() {
  static const std::map<std::string, std::string> nouns{
      {"key", "keys of people and machines"},
      {"site", "the signed site policy and this appliance's identity"},
      {"pack", "build, plan, run and approve packs"},
      {"runs", "runs: list, watch, resume, export"},
      {"mirror", "the pack registry and its feed"},
      {"approval", "review and sign requests at a desk"},
      {"vault", "sealed secrets"},
      {"evidence", "verify what a run left behind"},
      {"token", "who may read and act over HTTP"},
      {"logs", "search what steps wrote"},
      {"traces", "runs as OpenTelemetry spans"},
      {"notify", "who was told of runs, and whether it reached them"},
      {"spool", "messages that wait for a medium"},
      {"chaos", "resilience tests against runs, where the site allows them"}};
  return nouns;
}

struct Row {
  Command command;
  CLI::App* app;
};

std::vector<Row> build_parser(CLI::App& root, Parsed& parsed) {
  std::vector<Row> rows;
  for (Command& command : all_commands()) {
    CLI::App* app = &root;
    for (std::size_t i = 0; i < command.path.size(); ++i) {
      const bool last = i + 1 == command.path.size();
      const auto noun = noun_summaries().find(command.path[i]);
      app = find_or_add(app, command.path[i],
                        last                             ? command.summary
                        : noun == noun_summaries().end() ? ""
                                                         : noun->second);
      if (!last) app->require_subcommand(0, 1);
    }
    add_arguments(*app, command, parsed);
    // What is not known would go up to the noun, which takes nothing.
    if (command.takes_anything) app->allow_extras()->fallthrough(false);
    if (!command.example.empty()) app->footer("Example:\n  " + command.example);
    rows.push_back({std::move(command), app});
  }
  return rows;
}

std::string last_subcommand_hint(const CLI::App& root, std::string& verb) {
  const CLI::App* app = &root;
  verb = "stella";
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    verb += " " + app->get_name();
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) names.push_back(option->get_name(false, true));
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  const std::vector<std::string> extras = root.remaining(true);
  if (extras.empty()) return "";
  std::vector<std::string> singles;
  for (const std::string& name : names) {
    for (std::size_t from = 0; from <= name.size();) {
      const auto comma = name.find(',', from);
      singles.push_back(name.substr(from, comma - from));
      if (comma == std::string::npos) break;
      from = comma + 1;
    }
  }
  const auto guess = canon::nearest(extras.front(), singles);
  return guess ? fmt::format(", did you mean `{}`?", *guess) : "";
}

[[noreturn]] void refuse_usage(const CLI::App& root, const CLI::ParseError& error) {
  std::string verb;
  const std::string hint = last_subcommand_hint(root, verb);
  std::string what = error.what();
  while (!what.empty() && (what.back() == '\n' || what.back() == ' ')) what.pop_back();
  throw Error(Code::usage, "arguments", what + hint, verb, fmt::format("See `{} --help`.", verb));
}

Format parse_format(const std::string& name) {
  if (name == "table") return Format::table;
  if (name == "json") return Format::json;
  if (name == "ndjson") return Format::ndjson;
  throw Error(Code::usage, "output",
              fmt::format("--output is table, json or ndjson, not {}", canon::printable(name, 40)));
}

int act(std::vector<std::string> arguments, Parsed& parsed, std::unique_ptr<Output>& output, Teller& teller) {
  CLI::App root("stella: runs signed Task Packs behind an air gap", "stella");
  root.set_help_flag("--help,-h", "this text");
  add_globals(root, parsed);
  const std::vector<Row> rows = build_parser(root, parsed);
  root.require_subcommand(0, 1);
  root.footer("Each verb has an example in its own --help. Errors: stella explain CODE.");
  bool version = false;
  root.add_flag("--version", version, "the version");
  try {
    root.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 wants them backwards
  } catch (const CLI::CallForHelp&) {
    output->raw(root.help());  // of the verb that was named, with its whole path in the usage line
    return 0;
  } catch (const CLI::ParseError& error) {
    if (parsed.output == "json" || parsed.output == "ndjson")
      output = std::make_unique<Output>(parse_format(parsed.output), true, false);
    refuse_usage(root, error);
  }
  const Format format = parse_format(parsed.output);
  const bool colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  output = std::make_unique<Output>(format, parsed.quiet, colour);
  if (!parsed.profile.empty())
    refuse_option_for_now("--profile", "Say --tenant and --key, or set STELLA_TENANT and STELLA_KEY.");
  if (version) {
    output->raw(fmt::format("stella {}\n", STELLA_VERSION));
    return 0;
  }
  for (const Row& row : rows) {
    if (!row.app->parsed() || !row.app->get_subcommands().empty()) continue;
    if (const auto status = through_service(row.command, parsed, arguments)) return *status;
    keep_to_order(row.command, parsed);
    Call call(parsed, *output);
    teller = Teller::before(call, telling_of(row.command.path));
    return row.command.act(call);
  }
  output->raw(root.help());
  return 2;
}

// What was typed; in a process that a service started, what was typed to the service.
std::vector<std::string> arguments_of(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == service::kActFor) return service::take_order().arguments;
  return {argv + std::min(argc, 1), argv + argc};
}

// The verb, with its error printed.
int run_verb(int argc, char** argv, std::unique_ptr<Output>& output, Teller& teller) {
  Parsed parsed;
  try {
    locked::protect_process();
    return act(arguments_of(argc, argv), parsed, output, teller);
  } catch (const Error& error) {
    output->error(error);
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    output->error(Error(Code::internal, "memory", "no memory is left"));
  } catch (const std::exception& error) {
    output->error(Error(Code::internal, "exception", error.what()));
  }
  return 1;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  open_standard_descriptors();
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  auto output = std::make_unique<Output>(Format::table, false, false);
  Teller teller;
  const int status = run_verb(argc, argv, output, teller);
  teller.after();  // whoever reads the result need not wait for it
  return status;
}

}  // namespace stella::cli
