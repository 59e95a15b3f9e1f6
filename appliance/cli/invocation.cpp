// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/invocation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "bundles/files/read.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxSecret = std::size_t{1} << 20;

// A tenant's name is a folder's name and part of run ids.
void require_tenant_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  if (name.empty() || name.size() > 64 || name.front() == '.' || !std::all_of(name.begin(), name.end(), good)) {
    throw Error(Code::usage, "tenant",
                fmt::format("`{}` is no tenant name: a-z, 0-9, `-`, `_` and `.` only", name.substr(0, 64)));
  }
}

}  // namespace

std::string Invocation::need(const std::string& name) const {
  auto given = value(name);
  if (!given) throw Error(Code::usage, "missing", fmt::format("{} is needed", name));
  return *given;
}

Call::Call(const Parsed& parsed, Output& output)
    : parsed_(parsed), output_(output), passphrases_(parsed.passphrase_files, parsed.passphrase_fd, standard_input_) {}

std::optional<std::string> Call::value(const std::string& name) const {
  if (name == "--tenant") return parsed_.tenant.empty() ? std::nullopt : std::optional(parsed_.tenant);
  const auto found = parsed_.values.find(name);
  if (found == parsed_.values.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

std::vector<std::string> Call::values(const std::string& name) const {
  const auto found = parsed_.values.find(name);
  return found == parsed_.values.end() ? std::vector<std::string>{} : found->second;
}

bool Call::flag(const std::string& name) const {
  return parsed_.flags.contains(name);
}

const files::Home& Call::home() {
  if (!home_) home_ = files::Home::open(parsed_.home);
  return *home_;
}

std::string Call::tenant() {
  std::string name = parsed_.tenant;
  if (const char* given = std::getenv("STELLA_TENANT"); name.empty() && given != nullptr) name = given;
  if (name.empty()) {
    const auto applied = site::load_applied(home());
    name = applied && applied->policy.tenants.size() == 1 ? applied->policy.tenants.front().name : "default";
    if (applied && applied->policy.tenants.size() > 1) {
      throw Error(Code::usage, "tenant", "the site has several tenants", {},
                  "Say which with --tenant NAME or STELLA_TENANT.");
    }
  }
  require_tenant_name(name);
  return name;
}

bool Call::is_terminal() const {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

bool Call::confirm(const std::string& question) {
  if (parsed_.yes) return true;
  if (!is_terminal()) {
    throw Error(Code::usage, "confirm", question + " There is nobody here to answer.", {},
                "Say --yes when you mean it.");
  }
  std::cerr << question << " [y/N] " << std::flush;
  standard_input_.claim("the question");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

std::string Call::read_argument(const std::string& path, std::uint64_t max_bytes) {
  if (path != "-") return files::read_input(path, {max_bytes});
  standard_input_.claim("the file argument `-`");
  std::string bytes = files::read_stream(STDIN_FILENO, max_bytes, "standard input");
  if (bytes.empty()) throw Error(Code::file_unsuitable, "empty", "standard input is empty", "-");
  return bytes;
}

locked::Bytes Call::read_secret(const std::string& path) {
  if (path != "-") return read_private_file(path, kMaxSecret);
  standard_input_.claim("the secret value");
  if (is_terminal()) return ask_hidden("the secret value (it is not shown)");
  return read_locked(STDIN_FILENO, kMaxSecret, "standard input");
}

trust::LoadedKey Call::load_key() {
  std::string path = value("--key").value_or("");
  if (const char* given = std::getenv("STELLA_KEY"); path.empty() && given != nullptr) path = given;
  if (path.empty())
    throw Error(Code::usage, "missing", "no key was given", {},
                "Give --key FILE or set STELLA_KEY; `stella key new` makes one.");
  return trust::load_key(path, passphrases_);
}

}  // namespace stella::cli
