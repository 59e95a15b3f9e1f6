// SPDX-License-Identifier: Apache-2.0
// A pack that is still a folder, as its author has it. Links are not followed. Any thread.
#pragma once

#include <string>

#include "appliance/pack/manifest.hpp"

namespace stella::pack {

inline constexpr std::uint64_t kMaxManifest = std::uint64_t{1} << 20;  // bytes of pack.yaml, and of a schema

// pack.yaml of the folder with every problem of it and of the files that it names. ERR_FILE_NOT_FOUND when there is no
// pack.yaml; ERR_PACK_INVALID, reason `yaml`, when it is no YAML.
[[nodiscard]] Reading read_folder(const std::string& folder);
[[nodiscard]] FileReader reader_of_folder(const std::string& folder);

}  // namespace stella::pack
