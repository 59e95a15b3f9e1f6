// SPDX-License-Identifier: Apache-2.0
#include "appliance/retention/statement.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::retention {
namespace {

using fault::Code;

constexpr std::uint64_t kMaxStatement = 1 << 20;

std::string folder_of(const files::Home& home) {
  return home.runs() + "/removals";
}

std::string file_of(const files::Home& home, const journal::Pruned& one) {
  return fmt::format("{}/run-{:08}.dsse.json", folder_of(home), one.number);
}

std::string file_of(const files::Home& home, const journal::RunRow& row) {
  return fmt::format("{}/artifacts-{}.{}.dsse.json", folder_of(home), row.folder.substr(row.folder.rfind('/') + 1),
                     row.attempt);
}

bool is_there(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

struct Record {
  std::string stage, run, head, line;
};

dsse::Statement statement_of(const Record& record, const std::string& appliance) {
  return {.subjects = {{record.run, canon::parse_hex_digest(record.head, Code::journal_tampered, record.run)},
                       {"record", canon::sha256(record.line)}},
          .predicate_type = std::string(kRemovalType),
          .predicate = {{"stage", record.stage},
                        {"record", canon::parse_json(record.line, Code::journal_tampered, record.run)},
                        {"appliance", appliance}}};
}

void write_signed(const files::Home& home, const site::Identity& identity, const Record& record,
                  const std::string& path) {
  files::make_folders(folder_of(home));
  files::write_atomically(path, dsse::serialise(dsse::sign(statement_of(record, identity.id), identity.key)), 0600);
}

Record record_of(const journal::Pruned& pruned) {
  return {.stage = "run", .run = pruned.run, .head = pruned.head, .line = pruned.line};
}

// One of the keys signed it, and it says what the record says.
Signed look(const std::string& path, const journal::Pruned& pruned, const std::vector<trust::PublicKey>& keys) {
  if (!is_there(path)) return Signed::missing;
  try {
    const auto envelope =
        dsse::parse(files::read_input(path, {.max_bytes = kMaxStatement, .links = files::Links::refuse}),
                    Code::journal_tampered, path);
    const bool ours = envelope.signatures.size() == 1 && dsse::find_signer(envelope, envelope.signatures.front(), keys);
    if (!ours) return Signed::bad;
    const auto statement = dsse::parse_statement(envelope, kRemovalType, Code::journal_tampered, path);
    const auto wanted =
        dsse::serialise(statement_of(record_of(pruned), statement.predicate.value("appliance", std::string())));
    return envelope.payload == wanted ? Signed::good : Signed::bad;
  } catch (const fault::Error&) {
    return Signed::bad;
  }
}

}  // namespace

void sign_removal(const files::Home& home, const site::Identity& identity, const journal::Pruned& pruned) {
  files::crash_point("removal.unsigned");
  write_signed(home, identity, record_of(pruned), file_of(home, pruned));
}

void sign_removal(const files::Home& home, const site::Identity& identity, const journal::RunRow& row,
                  const std::string& line) {
  const Record record{.stage = "artifacts", .run = row.id, .head = canon::sha256(line).hex(), .line = line};
  write_signed(home, identity, record, file_of(home, row));
}

bool has_statement(const files::Home& home, const journal::RunRow& row) {
  return is_there(file_of(home, row));
}

std::size_t sign_unsigned(const files::Home& home, const journal::Journal& journal) {
  std::size_t made = 0;
  std::optional<site::Identity> identity;
  for (const journal::Pruned& one : journal.pruned()) {
    if (is_there(file_of(home, one))) continue;
    if (!identity) identity = site::load_identity(home);
    write_signed(home, *identity, record_of(one), file_of(home, one));
    ++made;
  }
  return made;
}

std::vector<Removed> removals(const files::Home& home, const journal::Journal& journal,
                              const std::vector<trust::PublicKey>& keys) {
  std::vector<Removed> found;
  for (journal::Pruned& one : journal.pruned()) {
    const std::string file = file_of(home, one);
    const Signed statement = look(file, one, keys);
    found.push_back({.record = std::move(one), .statement = statement, .file = file});
  }
  return found;
}

}  // namespace stella::retention
