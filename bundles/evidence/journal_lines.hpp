// SPDX-License-Identifier: Apache-2.0
// The journal of one run as it stands in a bag: RFC 8785 lines, numbered from 1, chained (contract section 13). Any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::evidence {

struct JournalLine {
  std::int64_t seq = 0;
  std::string type, run, step, at;
  std::string hash;  // SHA-256 hex of the line, the `prev` of the next
  int attempt = 1;
  canon::Json data;
};
struct JournalLines {
  std::vector<JournalLine> lines;
  std::string head;  // SHA-256 hex of the last line
};
// ERR_EVIDENCE_TAMPERED reason `journal`, at journal.jsonl:line, for the first line that does not follow.
[[nodiscard]] JournalLines parse_journal(std::string_view text);

}  // namespace stella::evidence
