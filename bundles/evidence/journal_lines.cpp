// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/journal_lines.hpp"

#include <fmt/format.h>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::evidence {

JournalLines parse_journal(std::string_view text) {
  JournalLines journal;
  std::string previous(64, '0');
  while (!text.empty()) {
    const auto number = static_cast<std::int64_t>(journal.lines.size()) + 1;
    const std::string at = fmt::format("journal.jsonl:{}", number);
    const auto refuse = [&](const std::string& what) {
      throw fault::Error(fault::Code::evidence_tampered, "journal", fmt::format("event {} {}", number, what), at);
    };
    const auto end = text.find('\n');
    if (end == std::string_view::npos) refuse("has no end of line");
    const std::string_view line = text.substr(0, end);
    const canon::Json object = canon::parse_json(line, fault::Code::evidence_tampered, at);
    if (canon::canonical(object) != line) refuse("is not in canonical form");
    canon::Fields fields(object, fault::Code::evidence_tampered, "journal", at);
    JournalLine event;
    event.seq = fields.integer("seq", 1, std::int64_t{1} << 53);
    event.type = fields.text("type");
    event.run = fields.text("run");
    event.step = fields.maybe_text("step").value_or("");
    event.at = fields.text("at");
    event.attempt = static_cast<int>(fields.integer("attempt", 1, 1000000));
    event.data = fields.object("data");
    const std::string stated = fields.text("prev");
    fields.finish();
    if (event.seq != number) refuse(fmt::format("is numbered {}", event.seq));
    if (stated != previous) refuse("does not follow the one before");
    if (!journal.lines.empty() && event.run != journal.lines.front().run) refuse("is of another run");
    previous = event.hash = canon::sha256(line).hex();
    journal.lines.push_back(std::move(event));
    text.remove_prefix(end + 1);
  }
  journal.head = previous;
  return journal;
}

}  // namespace stella::evidence
