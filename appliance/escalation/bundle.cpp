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

class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) { files::make_folders(path_); }
  void put(const std::string& name, const std::string& text) {
    files::write_atomically(path_ + "/" + name, text, 0600, files::Replace::no);
    sums_[name] = canon::sha256(text);
  }
  void close() {
    std::string list;
    for (const auto& [name, digest] : sums_) list += fmt::format("{}  {}\n", digest.hex(), name);
    files::write_atomically(path_ + "/SHA256SUMS", list, 0600, files::Replace::no);
  }

 private:
  std::string path_;
  std::map<std::string, canon::Digest> sums_;
};

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

std::string write_bundle(const std::string& folder, const Contents& contents) {
  const std::string name = contents.row.folder.substr(contents.row.folder.rfind('/') + 1);
  const std::string path = fmt::format("{}/{}_{}", folder, name, clock::format_compact(contents.now));
  Folder made(path);
  made.put("report.json", canon::pretty(contents.report));
  made.put("report.txt", joined(lines_of(contents.report)));
  made.put("log.txt", log_of(contents.report));
  made.put("journal.jsonl", journal_of(contents));
  if (const auto plan = plan_of(contents.row)) made.put("plan.json", *plan);
  made.put("evidence.json", canon::pretty(contents.report.at("evidence")));
  made.put("doctor.json", canon::pretty(contents.doctor));
  made.put("versions.json", canon::pretty(versions_of(contents.version)));
  made.close();
  return path;
}

}  // namespace stella::escalation
