// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/blueprint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "appliance/sandbox/etc_files.hpp"
#include "appliance/sandbox/filter.hpp"
#include "appliance/sandbox/image_view.hpp"
#include "appliance/sandbox/witness.hpp"
#include "bundles/fault/error.hpp"

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostDestinations = 512;  // each costs the runner a descriptor
constexpr std::size_t kStackBytes = std::size_t{256} << 10;

[[noreturn]] void refuse(const std::string& reason, const std::string& what, const std::string& step) {
  throw fault::Error(fault::Code::pack_invalid, reason, what, "step " + step);
}

std::map<std::string, std::string> fixed_environment() {
  return {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
          {"HOME", "/home/step"},
          {"USER", "stella"},
          {"LOGNAME", "stella"},
          {"LANG", "C.UTF-8"},
          {"TZ", "UTC"},
          {"PWD", "/work"},
          {"SOURCE_DATE_EPOCH", "315532800"},  // 1980-01-01: the oldest time that zip files can hold
          {"STELLA_OUTPUT", "/run/stella/output"}};
}

// An image may say where its programs are and what they want, but not who the step is.
std::map<std::string, std::string> base_environment(const Spec& spec) {
  auto variables = fixed_environment();
  for (const auto& [name, value] : spec.root_env) {
    const bool is_free = name == "PATH" || name == "LANG" || !variables.contains(name);
    if (is_free && !name.starts_with("STELLA_")) variables[name] = value;
  }
  return variables;
}

void set_environment(Blueprint& blueprint, const Spec& spec) {
  auto variables = base_environment(spec);
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || (name + value).find('\0') != std::string::npos) {
      refuse("env", "the variable `" + name + "` cannot be set", spec.step_id);
    }
    variables[name] = value;
  }
  for (const auto& secret : spec.secrets) variables.erase(secret.env);  // else the first of two would be the other one
  for (const auto& [name, value] : variables) blueprint.variables.push_back(name + "=" + value);
  for (const auto& secret : spec.secrets) {
    if (secret.env.empty()) continue;
    if (secret.value->view().find('\0') != std::string_view::npos) {
      refuse("env", "secret " + secret.name + " holds a zero byte and cannot be a variable; use `as: file`",
             spec.step_id);
    }
    locked::Bytes entry(secret.env.size() + 1 + secret.value->size() + 1);  // zeroed: ends with its zero byte
    std::memcpy(entry.data(), secret.env.data(), secret.env.size());
    entry.data()[secret.env.size()] = '=';
    std::memcpy(entry.data() + secret.env.size() + 1, secret.value->data(), secret.value->size());
    blueprint.secret_variables.push_back(std::move(entry));
  }
}

void set_secret_files(Blueprint& blueprint, const Spec& spec) {
  for (const auto& secret : spec.secrets) {
    if (!secret.env.empty()) continue;
    if (secret.name.empty() || secret.name[0] == '.' ||
        secret.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      refuse("secret", "the secret name `" + secret.name + "` is no file name", spec.step_id);
    }
    blueprint.secret_files.push_back({secret.name, secret.value});
  }
}

// A name without a slash is looked for along the step's own PATH.
void set_programs(Blueprint& blueprint, const Spec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty()) refuse("command", "the step has no program to run", spec.step_id);
  for (const auto& word : spec.argv) {
    if (word.find('\0') != std::string::npos) refuse("command", "an argument holds a zero byte", spec.step_id);
  }
  blueprint.words = spec.argv;
  if (spec.argv[0].find('/') != std::string::npos) {
    blueprint.programs = {spec.argv[0]};
    return;
  }
  const auto given = spec.env.find("PATH");
  const std::string path = given == spec.env.end() ? base_environment(spec).at("PATH") : given->second;
  for (std::size_t from = 0; from <= path.size();) {
    const auto end = std::min(path.find(':', from), path.size());
    const auto folder = path.substr(from, end - from);
    blueprint.programs.push_back((folder.empty() ? "." : folder) + "/" + spec.argv[0]);
    from = end + 1;
  }
}

void set_listeners(Blueprint& blueprint, const Spec& spec) {
  std::set<std::pair<std::string, int>> seen;
  for (const auto& endpoint : spec.allowed) {
    const Listen listen = destination_address(endpoint);
    if (!seen.emplace(*normal_address(endpoint.address), endpoint.port).second) continue;
    blueprint.listeners.push_back(listen);
    blueprint.destinations.push_back(endpoint);
  }
  if (blueprint.listeners.size() > kMostDestinations) {
    refuse("network", "the step may reach more than 512 destinations; name fewer in `needs`", spec.step_id);
  }
}

// Where this process's argv lies in memory: fields 48 and 49 of /proc/self/stat, proc(5).
void find_arguments(Blueprint& blueprint) {
  std::ifstream in("/proc/self/stat");
  std::string text(std::istreambuf_iterator<char>(in), {});
  const auto name_end = text.rfind(')');  // the second field may hold blanks
  if (name_end == std::string::npos) return;
  std::size_t at = name_end + 1;
  for (int field = 2; field < 47 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  if (at == std::string::npos) return;
  const auto from = std::strtoull(text.c_str() + at, nullptr, 10);
  const auto end = std::strtoull(text.c_str() + text.find(' ', at + 1), nullptr, 10);
  if (from == 0 || end <= from || end - from > (std::size_t{2} << 20)) return;
  blueprint.arguments = reinterpret_cast<char*>(from);
  blueprint.arguments_size = end - from;
}

char* pointer(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

void point(Blueprint& blueprint) {
  for (const auto& word : blueprint.words) blueprint.argv.push_back(pointer(word));
  for (const auto& variable : blueprint.variables) blueprint.envp.push_back(pointer(variable));
  for (auto& variable : blueprint.secret_variables) blueprint.envp.push_back(reinterpret_cast<char*>(variable.data()));
  for (const auto& program : blueprint.programs) blueprint.candidates.push_back(pointer(program));
  for (auto* list : {&blueprint.argv, &blueprint.envp, &blueprint.candidates}) list->push_back(nullptr);
}

Blueprint start(const Spec& spec) {
  Blueprint blueprint;
  blueprint.identity = choose_identity();
  blueprint.filter = step_filter();
  blueprint.etc = etc_files(blueprint.identity.inside, spec.allowed);
  blueprint.scratch_size = std::to_string(spec.tmp_bytes);
  const auto group = std::to_string(blueprint.identity.inside);
  blueprint.ping_group = group + " " + group;
  blueprint.max_processes = spec.max_processes;
  blueprint.stack.assign(kStackBytes, '\0');
  find_arguments(blueprint);
  return blueprint;
}

}  // namespace

Listen destination_address(const Endpoint& endpoint) {
  const auto address = normal_address(endpoint.address);
  if (!address || endpoint.port < 1 || endpoint.port > 65535) {
    throw fault::Error(fault::Code::pack_invalid, "network", "no usable address and port", "host " + endpoint.host);
  }
  Listen listen;
  const auto port = htons(static_cast<std::uint16_t>(endpoint.port));
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&listen.address);
      inet_pton(AF_INET, address->c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    listen.length = sizeof *v4;
    return listen;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&listen.address);
  std::memset(v6, 0, sizeof *v6);
  (void)inet_pton(AF_INET6, address->c_str(), &v6->sin6_addr);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = port;
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) v6->sin6_scope_id = 1;  // `lo`, the only link there is
  listen.length = sizeof *v6;
  return listen;
}

Blueprint draw(const Spec& spec) {
  Blueprint blueprint = start(spec);
  set_programs(blueprint, spec);
  set_environment(blueprint, spec);
  set_secret_files(blueprint, spec);
  set_listeners(blueprint, spec);
  blueprint.folders = {{spec.pack, "pack", true},
                       {spec.inputs, "inputs", true},
                       {spec.work, "work", false},
                       {spec.artifacts, "artifacts", false},
                       {spec.output_file, "run/stella/output", false}};
  if (!spec.root.empty()) {
    blueprint.folders.push_back({spec.root, "", true, Owner::nobody});
    blueprint.image = image_entries(spec.root, blueprint.etc);
  }
  point(blueprint);
  return blueprint;
}

Blueprint draw_probe() {
  Blueprint blueprint = start(Spec{});
  blueprint.only_probe = true;
  point(blueprint);
  return blueprint;
}

}  // namespace stella::sandbox
