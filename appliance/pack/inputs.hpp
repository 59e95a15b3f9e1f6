// SPDX-License-Identifier: Apache-2.0
// The values that a pack is planned and run with. All problems of an inputs file are reported at once
// (ERR_PACK_INPUTS). A file input is opened once and hashed while it is read; what the run copies later must be the
// same bytes. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "appliance/pack/manifest.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"

namespace stella::pack {

struct FileInput {
  std::string path;  // where the bytes are on this machine; never in a plan
  canon::Digest digest;
  std::uint64_t size_bytes = 0;
};

struct Inputs {
  canon::Json values = canon::Json::object();  // as expressions see them: every declared input; a file is
                                               // "/inputs/NAME"; null when not given
  canon::Json given = canon::Json::object();   // as they were given, for the run's inputs.json
  std::map<std::string, FileInput> files;      // by input name
};

inline constexpr std::uint64_t kMaxFileInput = std::uint64_t{64} << 30;  // bytes

// `file`: path of a JSON (.json) or YAML file, nullopt when none was given. `text` is its content, read by the caller
// (it may be standard input: `-`); file inputs are relative to its folder, or to the current folder for `-`.
struct InputsFile {
  std::string path, text;
};
[[nodiscard]] Inputs read_inputs(const Manifest& manifest, const std::optional<InputsFile>& file,
                                 const FileReader& read);
// The same from a run's own folder: `given_text` is its inputs.json, file inputs are `folder`/NAME.
[[nodiscard]] Inputs reload_inputs(const Manifest& manifest, const std::string& given_text, const std::string& folder,
                                   const FileReader& read);
// Copies to `target` (made, mode 0444, durable) through the same checks; other bytes than were planned are
// ERR_PACK_INPUTS, reason `changed`, and nothing is left behind.
void copy_file_input(const std::string& name, const FileInput& input, const std::string& target);

}  // namespace stella::pack
