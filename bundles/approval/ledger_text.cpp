// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "bundles/approval/ledger.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

using canon::Json;

constexpr auto kTampered = fault::Code::journal_tampered;
constexpr std::size_t kMaxLine = 65536;

LedgerLine read_line(std::string_view text, const std::string& at) {
  const Json document = canon::parse_json(text, kTampered, at, kMaxLine);
  if (canon::canonical(document) != text)
    throw fault::Error(kTampered, "ledger", "the line is not in RFC 8785 form", at);
  canon::Fields fields(document, kTampered, "ledger", at);
  LedgerLine line;
  line.seq = fields.integer("seq", 1, std::int64_t{1} << 53);
  line.prev = fields.text("prev", 64);
  line.kind = fields.text("kind", 100);
  line.run = fields.text("run", 500);
  line.gate = fields.text("gate", 500);
  line.at = clock::parse_time(fields.text("at", 40), kTampered, at + ".at");
  (void)fields.choice("clock", {"ok", "suspect"});
  line.data = fields.object("data");
  line.anchors = fields.object("anchors");
  if (!fields.any("dsse").is_null()) line.dsse = canon::parse_digest(fields.text("dsse", 100), kTampered, at + ".dsse");
  fields.finish();
  line.text = std::string(text);
  return line;
}

}  // namespace

Json anchors_json(const Anchors& anchors) {
  Json json = {{"journal", nullptr}, {"site", nullptr}, {"vault", nullptr}, {"mirror", nullptr}, {"evidence", nullptr}};
  if (anchors.journal) json["journal"] = {{"seq", anchors.journal->seq}, {"head", anchors.journal->head}};
  if (anchors.site) json["site"] = {{"version", anchors.site->version}, {"digest", anchors.site->digest.tagged()}};
  if (anchors.vault) json["vault"] = {{"generation", anchors.vault->generation}, {"root", anchors.vault->root}};
  if (anchors.mirror) json["mirror"] = {{"generation", anchors.mirror->generation}};
  if (anchors.evidence)
    json["evidence"] = {{"number", anchors.evidence->number}, {"digest", anchors.evidence->digest.tagged()}};
  return json;
}

LedgerView parse_ledger(std::string_view text, const std::string& name) {
  LedgerView view;
  std::string prev(64, '0');
  while (!text.empty()) {
    const std::string at = fmt::format("{}:{}", name, view.lines.size() + 1);
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) throw fault::Error(kTampered, "ledger", "the last line has no end", at);
    if (end > kMaxLine) throw fault::Error(kTampered, "ledger", "the line is too long", at);
    LedgerLine line = read_line(text.substr(0, end), at);
    if (line.seq != view.size() + 1)
      throw fault::Error(kTampered, "ledger", fmt::format("the line has number {}", line.seq), at);
    if (line.prev != prev) throw fault::Error(kTampered, "ledger", "the line does not follow the one before it", at);
    view.leaves.push_back(canon::merkle_leaf(line.text));
    prev = view.leaves.back().hex();
    view.lines.push_back(std::move(line));
    text.remove_prefix(end + 1);
  }
  view.root = canon::merkle_root(view.leaves);
  return view;
}

void require_consistent(const Checkpoint& checkpoint, std::span<const canon::Digest> leaves, const std::string& at) {
  const auto size = static_cast<std::size_t>(checkpoint.size);
  if (leaves.size() < size)
    throw fault::Error(fault::Code::approval_rollback, "shorter",
                       fmt::format("the ledger had {} entries and has {} now", size, leaves.size()), at);
  if (canon::merkle_root(leaves.first(size)) != checkpoint.root)
    throw fault::Error(kTampered, "ledger", fmt::format("the first {} entries are not the ones that were signed", size),
                       at);
}

Checkpoint verify_checkpoint(std::string_view text, const std::string& origin, std::span<const trust::PublicKey> keys,
                             const std::string& at) {
  const checkpoint::Note note = checkpoint::parse_note(text, fault::Code::approval_malformed, at);
  if (std::ranges::none_of(keys,
                           [&](const trust::PublicKey& key) { return checkpoint::is_signed_by(note, origin, key); }))
    throw fault::Error(fault::Code::approval_signature, "checkpoint",
                       "no key of the appliance signed the ledger's checkpoint", at);
  Checkpoint read = checkpoint::parse_checkpoint(note.text, fault::Code::approval_malformed, at);
  if (read.origin != origin)
    throw fault::Error(fault::Code::approval_mismatch, "ledger",
                       "the checkpoint is of ledger " + canon::printable(read.origin), at);
  return read;
}

std::string ledger_origin(const std::string& appliance, const std::string& tenant) {
  return "stella/" + appliance + "/" + tenant;
}

}  // namespace stella::approval
