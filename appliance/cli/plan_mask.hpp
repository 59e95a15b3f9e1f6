// SPDX-License-Identifier: Apache-2.0
// What a plan's differences pass before a person or a program sees them: the values of the secrets that the plans name,
// in every form the redactor knows. A plan never holds a secret by itself; an input that somebody filled with one does.
// One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/cli/command.hpp"
#include "bundles/canon/json.hpp"
#include "vault/lease/lease.hpp"
#include "vault/redaction/redactor.hpp"

namespace stella::cli {

class PlanMask {
 public:
  // `plans`: their documents. The values come from --redact, a file as for --secrets: planning opens no vault. Without
  // it nothing is masked. Errors as lease::open_secrets_file.
  PlanMask(Invocation& call, const std::string& tenant, const std::vector<const canon::Json*>& plans);
  [[nodiscard]] std::string text(const std::string& text) const;
  [[nodiscard]] canon::Json value(const canon::Json& value) const;

 private:
  std::vector<lease::Leased> held_;
  std::optional<redaction::Patterns> patterns_;
};

}  // namespace stella::cli
