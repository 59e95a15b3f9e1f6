// SPDX-License-Identifier: Apache-2.0
// What a step and a run leave behind: $STELLA_OUTPUT, names under /artifacts, the pack's declared outputs. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/plan/plan.hpp"
#include "bundles/canon/json.hpp"
#include "vault/redaction/redactor.hpp"

namespace stella::run {

inline constexpr std::uint64_t kMaxOutputBytes = 64 << 10;

// `name=value` lines into {name: value}. Names are [A-Za-z_][A-Za-z0-9_]*, at most 64 bytes, each once; values are
// UTF-8 without control characters. Anything else throws ERR_PACK_STEP_FAILED, reason `output-format`, at
// `$STELLA_OUTPUT:line`.
[[nodiscard]] canon::Json parse_step_output(std::string_view text);
// Reads the file; missing or empty: {}. No regular file or over 64 KiB: reason `output-format`.
[[nodiscard]] canon::Json read_step_output(const std::string& path);

// Removes what a step left that holds a leased secret: the file of its outputs (also when it is too large to be read),
// names beneath `artifacts` with all that is under them. Says what was removed, never the value; empty: nothing was.
[[nodiscard]] std::string remove_secrets(const redaction::Patterns& patterns, const std::string& output_file,
                                         const std::string& artifacts);

// The outputs that the step declares, as their types: text as it is, others read as JSON; what it does not declare
// stays text. ERR_PACK_STEP_FAILED, reason `output`, for one that is missing or of another type.
[[nodiscard]] canon::Json typed_outputs(const canon::Json& outputs,
                                        const std::map<std::string, pack::InputType>& declared);

struct Stored {
  std::string name, path, digest;
  std::uint64_t size_bytes;
};  // sha256:HEX
// The pack's outputs, each a regular file beneath `artifacts`, hashed. ERR_PACK_STEP_FAILED, reason `output`, naming
// the first that is missing or is not one.
[[nodiscard]] std::vector<Stored> check_outputs(const std::vector<plan::Output>& outputs, const std::string& artifacts);

}  // namespace stella::run
