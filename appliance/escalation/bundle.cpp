// SPDX-License-Identifier: Apache-2.0
#include "appliance/escalation/bundle.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <fstream>
#include <map>
#include <optional>

#include "appliance/escalation/report.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::escalation {
namespace {

using canon::Json;

std::string os_name() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("PRETTY_NAME=")) return canon::printable(line.substr(12), 200);
  return "unknown";
}

Json versions_of(const std::string& stella) {
  struct utsname kernel {};
  ::uname(&kernel);
  return {{"stella", stella}, {"kernel", kernel.release}, {"machine", kernel.machine}, {"os", os_name()}};
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string log_of(const Json& report) {
  std::string text;
  if (!report.at("failing").is_object()) return text;
  for (const Json& line : report.at("failing").value("log", Json::array())) text += line.get<std::string>() + "\n";
  return text;
}

std::string journal_of(const Contents& contents) {
  std::string text;
  contents.journal.for_each_event(contents.row.id, 0,
                                  [&](const journal::Event& event) { text += without_secret_ends(event) + "\n"; });
  return text;
}

// Nothing when it cannot be read, which may be why somebody is called.
std::optional<std::string> plan_of(const journal::RunRow& row) {
  try {
    return files::read_input(row.folder + "/plan.json", {.max_bytes = 64 << 20, .links = files::Links::refuse});
  } catch (const fault::Error&) {
    return std::nullopt;
  }
}

}  // namespace

Bundle bundle_of(const Contents& contents) {
  const std::string run = contents.row.folder.substr(contents.row.folder.rfind('/') + 1);
  Bundle bundle{.name = fmt::format("{}_{}", run, clock::format_compact(contents.now)), .files = {}};
  std::map<std::string, canon::Digest> sums;
  const auto put = [&](const std::string& name, std::string text) {
    sums[name] = canon::sha256(text);
    bundle.files.emplace_back(name, std::move(text));
  };
  put("report.json", canon::pretty(contents.report));
  put("report.txt", joined(lines_of(contents.report)));
  put("log.txt", log_of(contents.report));
  put("journal.jsonl", journal_of(contents));
  if (auto plan = plan_of(contents.row)) put("plan.json", std::move(*plan));
  put("evidence.json", canon::pretty(contents.report.at("evidence")));
  put("doctor.json", canon::pretty(contents.doctor));
  put("versions.json", canon::pretty(versions_of(contents.version)));
  std::string list;
  for (const auto& [name, digest] : sums) list += fmt::format("{}  {}\n", digest.hex(), name);
  bundle.files.emplace_back("SHA256SUMS", std::move(list));
  return bundle;
}

std::string write_bundle(const std::string& folder, const Bundle& bundle) {
  const std::string path = folder + "/" + bundle.name;
  files::make_folders(path);
  for (const auto& [name, text] : bundle.files)
    files::write_atomically(path + "/" + name, text, 0600, files::Replace::no);
  return path;
}

}  // namespace stella::escalation
