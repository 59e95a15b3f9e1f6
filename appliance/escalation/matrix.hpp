// SPDX-License-Identifier: Apache-2.0
// Who is called about which kind of problem, docs/operations/escalation.md. Pure.
#pragma once

#include <span>
#include <string_view>

namespace stella::escalation {

struct Owner {
  std::string_view kind, what;          // `approvals`; what went wrong, in words
  std::string_view primary, secondary;  // roles; `pack maintainers` are named in pack.yaml
  std::string_view send;                // what they need besides the report
};
[[nodiscard]] std::span<const Owner> matrix();
// By the code's family, else by its exit status; for ERR_SERVE_BUSY by its reason too. An empty code: the run is where
// it should be, its operators own it.
[[nodiscard]] const Owner& owner_of(std::string_view code, std::string_view reason = {});

}  // namespace stella::escalation
