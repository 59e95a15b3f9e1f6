// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/spool.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "appliance/journal/visible.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

namespace stella::notify {
namespace {

constexpr const char* kFolders[] = {"email", "pagerduty", "slack", "spool", "webhook"};

std::string stem_of(const Entry& entry) {
  return fmt::format("{}-{}", clock::format_compact(entry.made), entry.id.substr(0, 16));
}

canon::Json payload_json(const Entry& entry) {
  if (entry.to == "email") return {{"eml", stem_of(entry) + ".eml"}};
  return canon::parse_json(entry.payload, fault::Code::journal_tampered, "a payload of the outbox");
}

// An operator of a service sees the messages of their tenants only, and none that the outbox does not know.
bool is_visible(const std::string& name, const Outbox* outbox) {
  if (journal::sees_everything()) return true;
  const std::size_t dash = name.find('-'), dot = name.rfind('.');
  return outbox != nullptr && dash != std::string::npos && dot > dash + 1 &&
         outbox->is_visible(name.substr(dash + 1, dot - dash - 1));
}

bool is_ours(const std::string& name) {
  return !name.starts_with('.') && (name.ends_with(".json") || name.ends_with(".eml"));
}

}  // namespace

void write_spool(const files::Home& home, const Entry& entry, const Why& why) {
  const std::string folder = spool_of(home) + "/" + entry.to, stem = folder + "/" + stem_of(entry);
  canon::Json envelope = {
      {"schema", "stella.spool.v1"},
      {"id", entry.id},
      {"to", entry.to},
      {"target", canon::parse_json(entry.target, fault::Code::journal_tampered, "a target of the outbox")},
      {"where", entry.where},
      {"message", canon::parse_json(entry.message, fault::Code::journal_tampered, "a message of the outbox")},
      {"payload", payload_json(entry)}};
  if (!why.reason.empty()) envelope["why"] = {{"code", why.code}, {"reason", why.reason}, {"message", why.what}};
  files::make_folders(folder, 0700);
  files::crash_point("notify.spooling");
  if (entry.to == "email") files::write_atomically(stem + ".eml", entry.payload, 0600);
  files::write_atomically(stem + ".json", canon::canonical(envelope), 0600);
  files::crash_point("notify.spooled");
}

std::vector<SpoolFile> list_spool(const files::Home& home, const Outbox* outbox) {
  std::vector<SpoolFile> found;
  for (const char* folder : kFolders) {
    const std::string path = spool_of(home) + "/" + folder;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    for (const files::Entry& entry : files::list_tree(path)) {
      if (entry.kind != files::Kind::file || entry.path.find('/') != std::string::npos || !is_ours(entry.path) ||
          !is_visible(entry.path, outbox))
        continue;
      SpoolFile file{.path = fmt::format("{}/{}", folder, entry.path), .size_bytes = entry.size_bytes, .exported = {}};
      if (outbox != nullptr) file.exported = outbox->exported(file.path);
      found.push_back(std::move(file));
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

}  // namespace stella::notify
