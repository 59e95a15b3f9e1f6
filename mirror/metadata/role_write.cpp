// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "mirror/metadata/document.hpp"
#include "mirror/metadata/role.hpp"

namespace stella::metadata {
namespace {

canon::Json header_json(const Header& header, const char* type) {
  const Origin& origin = header.origin;
  return {{"_type", type},
          {"spec_version", "1.0.31"},
          {"version", header.version},
          {"expires", clock::format(header.expires)},
          {"x-stella",
           {{"source", origin.source},
            {"generation", origin.generation},
            {"base", origin.base ? canon::Json(*origin.base) : canon::Json(nullptr)},
            {"issued", clock::format(origin.issued)}}}};
}

canon::Json keys_json(const Keys& keys) {
  canon::Json object = canon::Json::object();
  for (const auto& [id, key] : keys) object[id] = key_object(key);
  return object;
}

canon::Json role_json(const RoleKeys& role) {
  return {{"keyids", role.key_ids}, {"threshold", role.threshold}};
}

canon::Json meta_json(const FileMeta& meta) {
  return {{"version", meta.version}, {"length", meta.length}, {"hashes", {{"sha256", meta.digest.hex()}}}};
}

bool is_name_character(unsigned char c) {
  return std::islower(c) || std::isdigit(c) || c == '-';
}

bool matches_part(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() && matches_part(pattern.substr(1), text.substr(1));
  }
  for (std::size_t taken = 0; taken <= text.size(); ++taken) {
    if (matches_part(pattern.substr(1), text.substr(taken))) return true;
  }
  return false;
}

}  // namespace

canon::Json to_json(const Root& root) {
  canon::Json part = header_json(root.header, "root");
  part["consistent_snapshot"] = true;
  part["keys"] = keys_json(root.keys);
  part["roles"] = canon::Json::object();
  for (const auto& [name, role] : root.roles) part["roles"][name] = role_json(role);
  return part;
}

canon::Json to_json(const Timestamp& timestamp) {
  canon::Json part = header_json(timestamp.header, "timestamp");
  part["meta"] = {{"snapshot.json", meta_json(timestamp.snapshot)}};
  return part;
}

canon::Json to_json(const Snapshot& snapshot) {
  canon::Json part = header_json(snapshot.header, "snapshot");
  part["meta"] = canon::Json::object();
  for (const auto& [name, meta] : snapshot.roles) part["meta"][name + ".json"] = meta_json(meta);
  return part;
}

canon::Json to_json(const Targets& targets) {
  canon::Json part = header_json(targets.header, "targets");
  part["targets"] = canon::Json::object();
  for (const auto& [path, target] : targets.targets) {
    canon::Json entry = {{"length", target.length}, {"hashes", {{"sha256", target.digest.hex()}}}};
    if (target.custom.is_object() && !target.custom.empty()) entry["custom"] = target.custom;
    part["targets"][path] = entry;
  }
  if (targets.delegations.empty()) return part;
  canon::Json roles = canon::Json::array();
  for (const Delegation& delegation : targets.delegations) {
    canon::Json role = role_json(delegation.keys);
    role["name"] = delegation.name;
    role["terminating"] = true;
    role["paths"] = delegation.paths;
    roles.push_back(role);
  }
  part["delegations"] = {{"keys", keys_json(targets.keys)}, {"roles", roles}};
  return part;
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name.front() != '-' && std::ranges::all_of(name, is_name_character);
}

bool is_channel(const std::string& name) {
  return is_name(name) && name != "root" && name != "targets" && name != "snapshot" && name != "timestamp";
}

bool matches_path(const std::string& pattern, const std::string& path) {
  std::size_t p = 0, t = 0;
  for (;;) {
    const std::size_t p_end = std::min(pattern.find('/', p), pattern.size());
    const std::size_t t_end = std::min(path.find('/', t), path.size());
    const std::string_view part = std::string_view(pattern).substr(p, p_end - p);
    if (!matches_part(part, std::string_view(path).substr(t, t_end - t))) return false;
    const bool pattern_done = p_end == pattern.size(), path_done = t_end == path.size();
    if (pattern_done || path_done) return pattern_done && path_done;
    p = p_end + 1;
    t = t_end + 1;
  }
}

}  // namespace stella::metadata
