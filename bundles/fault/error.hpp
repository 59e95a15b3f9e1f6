// SPDX-License-Identifier: Apache-2.0
// The one error type and the catalogue of its codes. Any thread; nothing here allocates global state.
//
// A forgotten result fails open, an uncaught exception fails closed: so there is one Error and it is thrown.
// Names and exit statuses are the contract's (docs/errors.md is generated from the catalogue).
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stella::fault {

enum class Code {
  pack_step_failed,
  pack_step_timeout,
  internal,
  pack_invalid,
  pack_inputs,
  pack_secret_missing,
  approval_malformed,
  mirror_malformed,
  site_invalid,
  home_unsafe,
  file_unsuitable,
  media_unsuitable,
  usage,
  pack_approval_timeout,
  pack_approval_rejected,
  approval_roster,
  approval_expired,
  approval_replayed,
  key_unusable,
  vault_sealed,
  vault_share,
  vault_denied,
  sandbox_unavailable,
  access_denied,
  pack_not_found,
  run_not_found,
  file_not_found,
  vault_not_found,
  pack_network_blocked,
  egress_blocked,
  pack_secret_source,
  pack_sealed_required,
  sealed_startup,
  pack_signature,
  pack_hash_mismatch,
  approval_signature,
  approval_mismatch,
  approval_rollback,
  mirror_signature,
  mirror_rollback,
  mirror_frozen,
  mirror_digest,
  mirror_base,
  mirror_untrusted,
  vault_tampered,
  vault_rollback,
  evidence_tampered,
  evidence_incomplete,
  evidence_untrusted,
  site_signature,
  site_rollback,
  site_frozen,
  journal_tampered,
  clock_rollback,
  pack_approval_required,
  pack_chaos_paused,
  pack_interrupted,
  media_full,
  media_gone,
  artifact_store,
  no_space,
  run_busy,
  mirror_busy,
  vault_busy,
  serve_busy,
};

struct CodeInfo {
  Code code;
  std::string_view name;     // ERR_PACK_INVALID
  int exit_status;           // contract section 3
  std::string_view cause;    // one sentence for a person
  std::string_view example;  // one line that shows it
  std::string_view fix;      // what to do next
};

[[nodiscard]] std::span<const CodeInfo> catalogue() noexcept;
[[nodiscard]] const CodeInfo& info(Code code) noexcept;
[[nodiscard]] const CodeInfo* find_code(std::string_view name) noexcept;  // nullptr when there is none

// reason: a stable lower-case token for the case; what: a sentence, never a secret; at: file:line:column, step or item;
// fix: what to do next in this very case, empty for the catalogue's.
class Error : public std::runtime_error {
 public:
  Error(Code code, std::string_view reason, const std::string& what, std::string at = {}, std::string fix = {});
  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] const std::string& at() const noexcept { return at_; }
  [[nodiscard]] std::string fix() const;
  [[nodiscard]] int exit_status() const noexcept { return info(code_).exit_status; }
  // The same error, said to have happened at a place that only the caller knows.
  [[nodiscard]] Error located(const std::string& at) const;

 private:
  Code code_;
  std::string reason_, at_, fix_;
};

// The error for a failed system call on a path: ENOENT is ERR_FILE_NOT_FOUND, ENOSPC and EDQUOT ERR_NO_SPACE,
// ENODEV and EIO ERR_MEDIA_GONE, everything else ERR_FILE_UNSUITABLE; the message keeps errno's name.
[[nodiscard]] Error system_error(int error_number, std::string_view doing, const std::string& path);

}  // namespace stella::fault
