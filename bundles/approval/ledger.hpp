// SPDX-License-Identifier: Apache-2.0
// The approval ledger of one tenant: `approvals.jsonl`, hash-chained RFC 8785 lines, and `checkpoint.txt`, a C2SP
// checkpoint with origin `stella/<appliance>/<tenant>` signed by the appliance (contract section 10, security.md rule
// 13).
//
// Line:
// {"anchors":{...},"at","clock":"ok"|"suspect","data":{...},"dsse":"sha256:HEX"|null,"gate","kind","prev","run","seq"}
// prev = leaf hash (hex) of the line before, 64 zeros first; leaf = SHA-256(00 || line without newline); RFC 6962 root.
// Limits: a line 64 KiB, a ledger 1 GiB. One writer at a time (a file lock); readers in any process.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/checkpoint/note.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/trust/key.hpp"

namespace stella::approval {

struct Anchors {  // null members: there is none
  struct Journal {
    std::int64_t seq;
    std::string head;
  };
  struct Site {
    std::int64_t version;
    canon::Digest digest;
  };
  struct Vault {
    std::int64_t generation;
    std::string root;
  };
  struct Mirror {
    std::int64_t generation;
  };
  struct Evidence {
    std::int64_t number;
    canon::Digest digest;
  };
  std::optional<Journal> journal;
  std::optional<Site> site;
  std::optional<Vault> vault;
  std::optional<Mirror> mirror;
  std::optional<Evidence> evidence;
};
[[nodiscard]] canon::Json anchors_json(const Anchors& anchors);

struct LedgerLine {
  std::int64_t seq = 0;
  std::string prev;  // hex
  std::string kind;  // request response refused rejected expired cancelled home clock identity evidence
  std::string run, gate;
  clock::Time at{};
  canon::Json data, anchors;
  std::optional<canon::Digest> dsse;  // payload digest of the request or response that the line is about
  std::string text;                   // the line itself, without newline
};
struct LedgerView {
  std::vector<LedgerLine> lines;
  std::vector<canon::Digest> leaves;
  canon::Digest root;
  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(lines.size()); }
};
// The whole chain: numbers, prev, canonical form. ERR_JOURNAL_TAMPERED reason `ledger`, at the first line that is
// wrong.
[[nodiscard]] LedgerView parse_ledger(std::string_view text, const std::string& name);

using checkpoint::Checkpoint;
[[nodiscard]] std::string ledger_origin(const std::string& appliance, const std::string& tenant);
// The signer's name in the note is the origin. Signed by one of `keys` and of this origin. ERR_APPROVAL_SIGNATURE
// reason `checkpoint`, ERR_APPROVAL_MALFORMED.
[[nodiscard]] Checkpoint verify_checkpoint(std::string_view note, const std::string& origin,
                                           std::span<const trust::PublicKey> keys, const std::string& at);
// The lines reach at least as far as the checkpoint and give its root: ERR_APPROVAL_ROLLBACK `shorter`,
// ERR_JOURNAL_TAMPERED `ledger`.
void require_consistent(const Checkpoint& checkpoint, std::span<const canon::Digest> leaves, const std::string& at);

struct NewLine {
  std::string kind, run = {}, gate = {};
  canon::Json data = canon::Json::object();
  std::optional<canon::Digest> dsse = {};
  Anchors anchors = {};
  bool clock_suspect = false;
};

// The ledger of a tenant in a home: $HOME/runs/ledger/<tenant>/. Opening verifies the whole of it.
class Ledger {
 public:
  // Missing: empty.
  static Ledger open(const std::string& folder, const std::string& appliance, const std::string& tenant,
                     std::span<const trust::PublicKey> keys);
  [[nodiscard]] const LedgerView& view() const noexcept { return view_; }
  [[nodiscard]] const std::string& checkpoint() const noexcept { return checkpoint_; }  // note text; empty at size 0
  // Appends durably and signs the new checkpoint; another process's lines since open() are taken in first.
  const LedgerLine& append(const NewLine& line, const trust::PrivateKey& key, clock::Time now);
  // A signed checkpoint of what is there now, also at size 0 or when a crash kept the last one from being written.
  const std::string& sign_checkpoint(const trust::PrivateKey& key);

 private:
  std::string folder_, origin_;
  std::vector<trust::PublicKey> keys_;
  LedgerView view_;
  std::string checkpoint_;
  void load();
};

}  // namespace stella::approval
