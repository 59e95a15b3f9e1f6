// SPDX-License-Identifier: Apache-2.0
// completion: scripts for bash, zsh and fish, made from the table of commands.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "appliance/cli/command.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

// By the path of a noun or verb, `pack runs`; empty: stella itself.
struct Tree {
  std::map<std::string, std::set<std::string>> words;
  std::map<std::string, std::vector<Option>> options;
};

const std::vector<Option>& globals() {
  static const std::vector<Option> options = {{"--home", "DIR", "the home folder"},
                                              {"--tenant", "NAME", "the tenant"},
                                              {"--profile", "NAME", "a profile of the home"},
                                              {"--output", "FORMAT", "table, json or ndjson"},
                                              {"--quiet", "", "no progress and hints"},
                                              {"--yes", "", "answer yes to what would be asked"},
                                              {"--passphrase-file", "FILE", "a file that answers the next prompt"},
                                              {"--passphrase-fd", "N", "a descriptor that answers prompts"},
                                              {"--help", "", "what a verb does"}};
  return options;
}

Tree tree_of() {
  Tree tree;
  tree.options[""] = globals();
  tree.words["completion"] = {"bash", "fish", "zsh"};
  for (const Command& command : all_commands()) {
    std::string path;
    for (const std::string& word : command.path) {
      tree.words[path].insert(word);
      path += path.empty() ? word : " " + word;
    }
    auto& options = tree.options[path];
    options = command.options;
    std::erase_if(options, [](const Option& one) { return one.hidden; });
    options.insert(options.end(), globals().begin(), globals().end());
  }
  return tree;
}

std::vector<std::string> names_of(const std::vector<Option>& options) {
  std::vector<std::string> names;
  for (const Option& one : options) names.push_back(one.name);
  return names;
}

// The options that take a value of this kind, wherever they stand.
std::string of_kind(const Tree& tree, const std::function<bool(const std::string&)>& is_wanted) {
  std::set<std::string> names;
  for (const auto& one : tree.options)
    for (const Option& option : one.second)
      if (!option.value.empty() && is_wanted(option.value)) names.insert(option.name);
  return fmt::format("{}", fmt::join(names, "|"));
}

bool is_file(const std::string& value) {
  constexpr std::array kFiles = {"FILE", "PATH", "K", "ADMIN.pub", "APPLIANCE.pub", "PLAN.json|RUN", "PNG"};
  return std::find(kFiles.begin(), kFiles.end(), value) != kFiles.end();
}

std::string case_rows(const std::map<std::string, std::set<std::string>>& rows) {
  std::string text;
  for (const auto& [path, words] : rows) text += fmt::format("    '{}') echo '{}' ;;\n", path, fmt::join(words, " "));
  return text;
}

std::string option_rows(const Tree& tree) {
  std::string text;
  for (const auto& [path, options] : tree.options)
    text += fmt::format("    '{}') echo '{}' ;;\n", path, fmt::join(names_of(options), " "));
  return text;
}

// What bash and zsh share: where the line stands, and what may come there.
std::string shell_functions(const Tree& tree) {
  return fmt::format(
      R"sh(_stella_words() {{
  case "$1" in
{}  esac
}}
_stella_options() {{
  case "$1" in
{}    *) echo '{}' ;;
  esac
}}
_stella_takes() {{
  case "$1" in
    {}) return 0 ;;
  esac
  return 1
}}
_stella_kind() {{
  case "$1" in
    --output) echo format ;;
    {}) echo folder ;;
    {}) echo file ;;
  esac
}}
# The verb that the words before the cursor name, and after a comma the option that waits for its value.
_stella_place() {{
  local verb= waits= word
  for word in "$@"; do
    if [ -n "$waits" ]; then waits=; continue; fi
    case "$word" in
      *=*) continue ;;
      -*) if _stella_takes "$word"; then waits=$word; fi; continue ;;
    esac
    case " $(_stella_words "$verb") " in
      *" $word "*) verb="${{verb:+$verb }}$word" ;;
    esac
  done
  echo "$verb,$waits"
}}
)sh",
      case_rows(tree.words), option_rows(tree), fmt::join(names_of(globals()), " "),
      of_kind(tree, [](const std::string&) { return true; }),
      of_kind(tree, [](const std::string& value) { return value == "DIR"; }), of_kind(tree, is_file));
}

std::string bash_script(const Tree& tree) {
  return "# bash completion of stella: source it, or put it into /usr/share/bash-completion/completions/stella\n" +
         shell_functions(tree) +
         R"sh(_stella() {
  local cur=${COMP_WORDS[COMP_CWORD]} place verb waits
  place=$(_stella_place "${COMP_WORDS[@]:1:COMP_CWORD-1}")
  verb=${place%,*} waits=${place##*,}
  COMPREPLY=()
  if [ -n "$waits" ]; then
    case "$(_stella_kind "$waits")" in
      format) mapfile -t COMPREPLY < <(compgen -W 'table json ndjson' -- "$cur") ;;
      folder) compopt -o filenames 2> /dev/null || :; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
      file) compopt -o filenames 2> /dev/null || :; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
    return
  fi
  case "$cur" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_stella_options "$verb")" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_stella_words "$verb")" -- "$cur")
       if [ -z "$(_stella_words "$verb")" ]; then compopt -o filenames 2> /dev/null || :; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi ;;
  esac
}
complete -F _stella stella
)sh";
}

std::string zsh_script(const Tree& tree) {
  return "#compdef stella\n# zsh completion of stella: put it as _stella into a folder of $fpath\n" +
         shell_functions(tree) +
         R"sh(_stella() {
  local place verb waits cur=${words[CURRENT]}
  place=$(_stella_place "${(@)words[2,CURRENT-1]}")
  verb=${place%,*} waits=${place##*,}
  if [[ -n $waits ]]; then
    case $(_stella_kind "$waits") in
      format) compadd table json ndjson ;;
      folder) _files -/ ;;
      file) _files ;;
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    compadd -- ${=$(_stella_options "$verb")}
  elif [[ -n $(_stella_words "$verb") ]]; then
    compadd -- ${=$(_stella_words "$verb")}
  else
    _files
  fi
}
if [[ ${funcstack[1]} == _stella ]]; then _stella "$@"; else compdef _stella stella; fi
)sh";
}

std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find_first_of("'\\", at)) != text.npos; at += 2) text.insert(at, "\\");
  return "'" + text + "'";
}

std::string fish_script(const Tree& tree) {
  std::string text =
      "# fish completion of stella: put it into ~/.config/fish/completions/stella.fish\n"
      "function __stella_place\n"
      "  set -l path\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if contains -- \"$word\" (__stella_words \"$path\"); set path (string trim \"$path $word\"); end\n"
      "  end\n"
      "  echo \"$path\"\n"
      "end\n"
      "function __stella_words\n"
      "  switch \"$argv[1]\"\n";
  for (const auto& [path, words] : tree.words)
    text += fmt::format("    case {}\n      printf '%s\\n' {}\n", quoted(path), fmt::join(words, " "));
  text +=
      "  end\n"
      "end\n"
      "complete -c stella -f -n 'test -n (__stella_words (__stella_place) | string collect)' -a "
      "'(__stella_words (__stella_place))'\n";
  for (const auto& [path, options] : tree.options) {
    for (const Option& option : options)
      text += fmt::format("complete -c stella -n 'test (__stella_place) = \"{}\"' -l {} -d {}{}\n", path,
                          option.name.substr(2), quoted(option.help),
                          option.value.empty()                             ? ""
                          : is_file(option.value) || option.value == "DIR" ? " -rF"
                                                                           : " -x");
  }
  return text;
}

int completion(Invocation& call) {
  const std::string shell = call.need("SHELL");
  const Tree tree = tree_of();
  std::string script;
  if (shell == "bash") script = bash_script(tree);
  if (shell == "zsh") script = zsh_script(tree);
  if (shell == "fish") script = fish_script(tree);
  if (script.empty())
    throw Error(Code::usage, "shell", fmt::format("{} is no shell that stella knows", canon::printable(shell, 40)),
                "SHELL", "bash, zsh and fish are known.");
  if (call.out().is_table()) call.out().raw(script);
  call.out().result({{"shell", shell}, {"script", script}});
  return 0;
}

}  // namespace

std::vector<Command> completion_commands() {
  return {{{"completion"},
           "a script that completes verbs and options in your shell",
           "stella completion bash > ~/.local/share/bash-completion/completions/stella",
           {{"SHELL", "bash, zsh or fish"}},
           {},
           completion}};
}

}  // namespace stella::cli
