// SPDX-License-Identifier: Apache-2.0
// The one table of commands: it feeds the parser and the help. Each noun's file offers its rows; main puts them
// together.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "appliance/cli/output.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::cli {

struct Option {
  std::string name;   // "--key"
  std::string value;  // "FILE"; empty: a flag
  std::string help;
  bool required = false, repeatable = false;
  bool optional_value = false;  // --qr [PNG]
  bool hidden = false;          // not in the help: for stella itself
};
struct Positional {
  std::string name, help;
  bool required = true, repeatable = false;
};

class Invocation;
struct Command {
  std::vector<std::string> path;  // {"pack", "build"}
  std::string summary;
  std::string example;  // shown in --help, run by a test
  std::vector<Positional> positionals;
  std::vector<Option> options;
  std::function<int(Invocation&)> act;  // the exit status; errors are thrown
  bool takes_anything = false;          // unknown arguments are let through (rows that refuse anyway)
};

// What a verb was called with, and what it may use.
class Invocation {
 public:
  virtual ~Invocation() = default;
  [[nodiscard]] virtual std::optional<std::string> value(const std::string& name) const = 0;  // option or positional
  [[nodiscard]] virtual std::vector<std::string> values(const std::string& name) const = 0;
  [[nodiscard]] virtual bool flag(const std::string& name) const = 0;
  [[nodiscard]] std::string need(const std::string& name) const;  // ERR_USAGE when absent
  [[nodiscard]] virtual Output& out() = 0;
  [[nodiscard]] virtual const files::Home& home() = 0;  // opened (and made) at first use
  [[nodiscard]] virtual std::string
  tenant() = 0;  // --tenant, STELLA_TENANT, else the policy's only tenant, else "default"
  [[nodiscard]] virtual trust::Passphrases& passphrases() = 0;
  [[nodiscard]] virtual const clock::Clock& clock() const = 0;
  [[nodiscard]] virtual bool yes() const = 0;  // --yes
  // --passphrase-file or --passphrase-fd: asking will not stop to prompt.
  [[nodiscard]] virtual bool has_passphrases() const = 0;
  [[nodiscard]] virtual bool is_terminal() const = 0;  // standard input is one: somebody can answer
  // y/N on a terminal; true with --yes; ERR_USAGE (reason confirm) when nobody can answer.
  virtual bool confirm(const std::string& question) = 0;
  // Reads a FILE argument, or standard input for `-` (once per call; a second reader is ERR_USAGE).
  [[nodiscard]] virtual std::string read_argument(const std::string& path, std::uint64_t max_bytes) = 0;
  // The same for a secret value: straight into locked memory, never through a std::string. At most 1 MiB.
  [[nodiscard]] virtual locked::Bytes read_secret(const std::string& path) = 0;
  // The key from --key, else STELLA_KEY; ERR_USAGE when neither is there.
  [[nodiscard]] virtual trust::LoadedKey load_key() = 0;
};

[[nodiscard]] std::vector<Command> key_commands();
[[nodiscard]] std::vector<Command> site_commands();
[[nodiscard]] std::vector<Command> pack_author_commands();  // build sign inspect
[[nodiscard]] std::vector<Command> pack_check_commands();   // init validate
[[nodiscard]] std::vector<Command> pack_eval_commands();
[[nodiscard]] std::vector<Command> pack_check_schema_commands();
[[nodiscard]] std::vector<Command> pack_plan_commands();     // plan
[[nodiscard]] std::vector<Command> pack_run_commands();      // run, runs list show logs resume cancel
[[nodiscard]] std::vector<Command> pack_approve_commands();  // pack approve
[[nodiscard]] std::vector<Command> pack_mirror_commands();   // pack mirror ...
[[nodiscard]] std::vector<Command> mirror_commands();        // mirror init add publish status trust
[[nodiscard]] std::vector<Command> approval_commands();      // approval review sign
[[nodiscard]] std::vector<Command> vault_commands();
[[nodiscard]] std::vector<Command> evidence_commands();  // evidence verify show, pack runs export
[[nodiscard]] std::vector<Command> chaos_commands();
[[nodiscard]] std::vector<Command> notify_commands();    // notify list flush test follow
[[nodiscard]] std::vector<Command> spool_commands();     // spool list export
[[nodiscard]] std::vector<Command> doctor_commands();
[[nodiscard]] std::vector<Command> metrics_commands();
[[nodiscard]] std::vector<Command> logs_commands();    // logs search
[[nodiscard]] std::vector<Command> traces_commands();  // traces export
[[nodiscard]] std::vector<Command> serve_commands();
[[nodiscard]] std::vector<Command> general_commands();  // explain version doctor
[[nodiscard]] std::vector<Command> completion_commands();

// Later work, refused by name with what to do instead.
[[nodiscard]] std::vector<Command> planned_commands();
// A row that refuses with ERR_USAGE, reason `not-yet`; `instead` says what to do today.
[[nodiscard]] Command refused_for_now(std::vector<std::string> path, const std::string& instead);
[[noreturn]] void refuse_option_for_now(const std::string& option, const std::string& instead);

// All rows, in the order of the help (table.cpp).
[[nodiscard]] std::vector<Command> all_commands();

int run_command_line(int argc, char** argv);

}  // namespace stella::cli
