// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/site.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace stella::bench {
namespace {

using canon::Json;

// The one base64 line of a PEM file.
std::string public_line(const std::string& path) {
  std::ifstream file(path);
  std::string all;
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with("-")) all += line;
  return all;
}

}  // namespace

std::string binary() {
  const char* path = std::getenv("STELLA");
  if (path == nullptr) throw std::runtime_error("STELLA does not name the binary");
  return path;
}

Site::Site(const std::string& mode) {
  setenv("STELLA_HOME", home().c_str(), 1);
  for (const char* name : {"admin", "publisher"})
    must_run({binary(), "key", "new", "--out", path(name), "--name", name, "--no-passphrase"});
  must_run({binary(), "site", "identity", "--id", "apl-bench", "--out", path("identity.pub")});
  const Json policy = {
      {"schema", "stella.site.v1"},
      {"site", "bench"},
      {"version", 1},
      {"mode", mode},
      {"homes", "any"},
      {"admins", {{"threshold", 1}, {"keys", {public_line(path("admin.pub"))}}}},
      {"appliances", {{{"id", "apl-bench"}, {"key", public_line(path("identity.pub"))}}}},
      {"publishers", {{{"name", "Bench"}, {"key", public_line(path("publisher.pub"))}}}},
      {"tenants", {{{"name", "bench"}, {"packs", {"*"}}}}},
  };
  std::ofstream(path("policy.json")) << policy.dump();
  must_run({binary(), "site", "sign", path("policy.json"), "--key", path("admin"), "--out", path("policy.dsse.json")});
  must_run({binary(), "site", "apply", path("policy.dsse.json"), "--trust", path("admin.pub")});
}

std::string Site::folder(const std::string& name, const std::string& spec) const {
  const std::string made = path("packs/" + name);
  std::filesystem::create_directories(made + "/docs");
  std::ofstream(made + "/docs/usage.md") << "# Usage\n";
  std::ofstream(made + "/docs/runbook.md") << "# Runbook\n";
  std::ofstream(made + "/pack.yaml") << "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: " << name
                                     << ", version: 1.0.0}\nspec:\n"
                                     << spec;
  return made;
}

std::string Site::pack(const std::string& name, const std::string& spec) const {
  const std::string made = path(name + ".pack");
  must_run({binary(), "pack", "build", folder(name, spec), "--key", path("publisher"), "--out", made});
  return made;
}

std::string no_op_steps(int count, const std::string& indent) {
  std::string steps;
  for (int i = 0; i < count; ++i)
    steps += indent + "- id: s" + std::to_string(i) + "\n" + indent + "  run: {command: [\"true\"]}\n";
  return steps;
}

}  // namespace stella::bench
