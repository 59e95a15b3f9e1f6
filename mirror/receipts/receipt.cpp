// SPDX-License-Identifier: Apache-2.0
#include "mirror/receipts/receipt.hpp"

#include <fmt/format.h>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

namespace stella::receipts {
namespace {

using fault::Code;
constexpr std::uint64_t kMaxReceipt = std::uint64_t{4} << 20;
const std::string kNone(64, '0');

std::string folder_of(const files::Home& home) {
  return home.mirror() + "/receipts";
}
std::string file_of(std::int64_t number) {
  return fmt::format("{:06}.dsse.json", number);
}

std::string read_receipt(const files::Home& home, const std::string& name) {
  return files::read_input(folder_of(home) + "/" + name, {.max_bytes = kMaxReceipt, .links = files::Links::refuse});
}

// Bytewise order is the order of numbers up to 999,999 receipts, one pull a minute for two years.
std::vector<std::string> receipt_files(const files::Home& home) {
  std::vector<std::string> names;
  for (const files::Entry& entry : files::list_tree(folder_of(home))) {
    if (entry.kind == files::Kind::file && entry.path.ends_with(".dsse.json")) names.push_back(entry.path);
  }
  return names;
}

fault::Error broken(const std::string& name, const std::string& what) {
  return fault::Error(
      Code::mirror_digest, "receipts", fmt::format("receipt {} {}", name, what), name,
      "A receipt was altered or removed outside stella: keep the folder as it is and tell your security people.");
}

Receipt read_predicate(const dsse::Statement& statement, const std::string& name, std::string& previous) {
  canon::Fields fields(statement.predicate, Code::mirror_digest, "receipts", name);
  Receipt receipt;
  receipt.number = fields.integer("number", 1, 999999);
  previous = fields.text("previous", 64);
  receipt.appliance = fields.text("appliance", 256);
  receipt.at = fields.text("at", 32);
  receipt.outcome = fields.text("outcome", 32);
  receipt.details = fields.object("import");
  fields.finish();
  receipt.subject = statement.subjects.empty() ? "" : statement.subjects.front().name;
  return receipt;
}

}  // namespace

std::int64_t append(const files::Home& home, const site::Identity& identity, clock::Time now, const Event& event) {
  files::make_folders(folder_of(home));
  const std::vector<std::string> names = receipt_files(home);
  const std::int64_t number = static_cast<std::int64_t>(names.size()) + 1;
  const std::string previous = names.empty() ? kNone : canon::sha256(read_receipt(home, names.back())).hex();
  const dsse::Statement statement{.subjects = {event.subject},
                                  .predicate_type = std::string(kPredicateType),
                                  .predicate = {{"number", number},
                                                {"previous", previous},
                                                {"appliance", identity.id},
                                                {"at", clock::format(now)},
                                                {"outcome", event.outcome},
                                                {"import", event.details}}};
  const std::string text = dsse::serialise(dsse::sign(statement, identity.key));
  files::write_atomically(folder_of(home) + "/" + file_of(number), text, 0600, files::Replace::no);
  return number;
}

std::vector<Receipt> load_verified(const files::Home& home, const std::vector<trust::PublicKey>& keys) {
  std::vector<Receipt> receipts;
  std::string head = kNone;
  for (const std::string& name : receipt_files(home)) {
    const std::string wanted = file_of(static_cast<std::int64_t>(receipts.size()) + 1);
    if (name != wanted) throw broken(wanted, "is missing");
    const std::string text = read_receipt(home, name);
    const dsse::Envelope envelope = dsse::parse(text, Code::mirror_digest, name);
    if (envelope.signatures.size() != 1 || !dsse::find_signer(envelope, envelope.signatures.front(), keys)) {
      throw broken(name, "is not signed by this appliance");
    }
    std::string previous;
    const auto statement = dsse::parse_statement(envelope, kPredicateType, Code::mirror_digest, name);
    receipts.push_back(read_predicate(statement, name, previous));
    if (receipts.back().number != static_cast<std::int64_t>(receipts.size()))
      throw broken(name, "has another number inside");
    if (previous != head) throw broken(name, "does not follow the one before it");
    head = canon::sha256(text).hex();
  }
  return receipts;
}

}  // namespace stella::receipts
