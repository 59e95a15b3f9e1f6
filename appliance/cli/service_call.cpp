// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/service_call.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

#include "appliance/service/client.hpp"
#include "appliance/service/order.hpp"
#include "bundles/files/named.hpp"
#include "bundles/site/service_home.hpp"
#include "mirror/intake/feed.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::string_view kSocketHome = "unix:";

// What the service does for operators. A verb that is not here is nobody's but the administrator's.
const std::set<std::string>& served() {
  static const std::set<std::string> kVerbs = {
      "pack plan",        "pack run",          "pack runs list",     "pack runs show",
      "pack runs logs",   "pack runs resume",  "pack runs export",   "pack runs cancel",
      "pack runs hold",   "pack runs release", "pack runs escalate", "pack approve",
      "pack mirror list", "pack mirror show",  "pack mirror status", "pack mirror pull",
      "notify list",      "spool list",        "spool export",       "logs search",
      "chaos inject",     "chaos report",      "site show",          "doctor"};
  return kVerbs;
}

// What needs no home of an appliance: done here, by and for whoever types it.
bool is_own(const std::string& verb) {
  static const std::set<std::string> kNouns = {"key", "approval", "mirror", "evidence"};
  static const std::set<std::string> kVerbs = {
      "site init",    "site check", "site sign",         "pack init", "pack build", "pack sign", "pack validate",
      "pack inspect", "pack eval",  "pack check-schema", "explain",   "version",    "completion"};
  if (verb == "mirror trust") return false;  // changes an appliance's home
  return kNouns.contains(verb.substr(0, verb.find(' '))) || kVerbs.contains(verb);
}

std::string name_of(const Command& command) {
  return fmt::format("{}", fmt::join(command.path, " "));
}

bool belongs_to_us(const std::string& folder) {
  struct stat found {};
  return ::stat(folder.c_str(), &found) == 0 && found.st_uid == ::geteuid();
}

// The socket to go to, if any. The service's own user is told where its home is.
std::optional<std::string> find_socket(Parsed& parsed) {
  const char* given = std::getenv("STELLA_HOME");
  const std::string home = !parsed.home.empty() ? parsed.home : given == nullptr ? "" : given;
  if (home.starts_with(kSocketHome)) return home.substr(kSocketHome.size());
  if (service::order_taken() != nullptr) return std::nullopt;
  const auto service = site::load_service_home();
  if (!service || (!home.empty() && home != service->home)) return std::nullopt;
  if (belongs_to_us(service->home)) {
    parsed.home = service->home;
    return std::nullopt;
  }
  return service->socket;
}

// As it was typed, without the home; the tenant of the environment is said, since that does not travel.
std::vector<std::string> without_home(const std::vector<std::string>& arguments, const Parsed& parsed) {
  std::vector<std::string> kept;
  if (const char* tenant = std::getenv("STELLA_TENANT"); parsed.tenant.empty() && tenant != nullptr)
    kept = {"--tenant", tenant};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--home")
      ++i;
    else if (!arguments[i].starts_with("--home="))
      kept.push_back(arguments[i]);
  }
  return kept;
}

[[noreturn]] void refuse_verb(const std::string& verb) {
  throw Error(Code::access_denied, "verb", fmt::format("the service does not do `stella {}` for operators", verb), {},
              "The service's administrator does it as the service's user; in a home of your own, say --home DIR.");
}

enum class Kind { path, path_or_run, word };
Kind kind_of(const std::string& metavar, const std::string& option) {
  static const std::set<std::string> kPaths = {"FILE", "FILE|DIR", "DIR", "PNG", "PATH"};
  static const std::set<std::string> kWords = {
      "HOOK",     "NAME", "NAME[:VERSION]", "NAME:VERSION", "RUN", "STEP",       "GATE",    "TEXT",
      "DURATION", "N",    "sha256:HEX",     "TIME",         "T",   "T|DURATION", "PATTERN", "STATE"};
  if (kPaths.contains(metavar)) return Kind::path;
  if (metavar == "PLAN|RUN") return Kind::path_or_run;
  if (kWords.contains(metavar)) return Kind::word;
  // Fails closed: a new kind of value has to be looked at before an operator may give one to the service.
  throw Error(Code::access_denied, "option", fmt::format("the service does not take {} {}", option, metavar), option);
}

void mark(std::vector<std::string>& values, Kind kind) {
  for (std::string& value : values) {
    if (kind == Kind::path || (kind == Kind::path_or_run && !value.starts_with("run:"))) value = files::named(value);
  }
}

void mark_paths(const Command& command, Parsed& parsed) {
  for (const Option& option : command.options) {
    auto given = parsed.values.find(option.name);
    if (given == parsed.values.end() || given->second.empty() || option.value.empty()) continue;
    const auto is_left_out = [](const std::string& value) { return value.empty(); };
    if (option.optional_value && std::ranges::all_of(given->second, is_left_out)) continue;  // no path, not even `.`
    mark(given->second, kind_of(option.value, option.name));
  }
  for (const Positional& positional : command.positionals) {
    auto given = parsed.values.find(positional.name);
    if (given == parsed.values.end() || given->second.empty()) continue;
    mark(given->second, kind_of(positional.name, positional.name));
  }
  mark(parsed.passphrase_files, Kind::path);
}

// The number is one of the person's own descriptors.
void bring_passphrase(Parsed& parsed) {
  if (!parsed.passphrase_fd) return;
  const std::string path = files::named(fmt::format("/proc/self/fd/{}", *parsed.passphrase_fd));
  parsed.passphrase_fd = files::bearer_of(path)->open(files::plain(path)).release();
}

void keep_to_tenants(const service::Order& order, Parsed& parsed) {
  if (parsed.tenant.empty() && order.tenants.size() == 1) parsed.tenant = order.tenants.front();
  if (parsed.tenant.empty() || std::ranges::find(order.tenants, parsed.tenant) != order.tenants.end()) return;
  throw Error(Code::access_denied, "tenant", fmt::format("you are no operator of tenant {}", parsed.tenant), "--tenant",
              fmt::format("You are one of {}.", fmt::join(order.tenants, ", ")));
}

void refuse_options(const std::string& verb, const Parsed& parsed) {
  const auto given = [&](const char* name) {
    const auto found = parsed.values.find(name);
    return found != parsed.values.end() && !found->second.empty();
  };
  if (verb == "pack approve" && given("--key"))
    throw Error(Code::access_denied, "option", "nobody approves on a service's appliance itself", "--key",
                "Make a request with --offline-request and have it signed at an approver's desk.");
  if (verb == "pack plan" && !given("--pack") && !given("--bundle"))
    throw Error(Code::usage, "pack", "the service cannot plan a folder", {},
                "Give --pack NAME:VERSION or --bundle FILE; `stella pack build` makes one of the folder.");
}

}  // namespace

std::optional<int> through_service(const Command& command, Parsed& parsed, const std::vector<std::string>& arguments) {
  const std::string verb = name_of(command);
  if (is_own(verb)) return std::nullopt;
  const auto socket = find_socket(parsed);
  if (!socket) return std::nullopt;
  if (!served().contains(verb)) refuse_verb(verb);
  std::vector<std::string> typed = without_home(arguments, parsed);
  // Which media are mounted is a matter of who looks: what is left out is found with the operator's eyes.
  if (verb == "pack mirror pull" && parsed.values["--from"].empty())
    typed.insert(typed.end(), {"--from", intake::find_medium()});
  return service::forward(*socket, typed);
}

void keep_to_order(const Command& command, Parsed& parsed) {
  const service::Order* order = service::order_taken();
  if (order == nullptr) return;
  const std::string verb = name_of(command);
  if (!served().contains(verb)) refuse_verb(verb);
  if (!parsed.home.empty())
    throw Error(Code::access_denied, "option", "a service has one home", "--home", "Leave --home away.");
  if (!order->has_person) return;  // the service's own words: a runner that goes on by itself
  keep_to_tenants(*order, parsed);
  refuse_options(verb, parsed);
  mark_paths(command, parsed);
  bring_passphrase(parsed);
}

}  // namespace stella::cli
