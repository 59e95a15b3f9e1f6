// SPDX-License-Identifier: Apache-2.0
// What names in a pack may look like. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace stella::pack {

[[nodiscard]] bool is_pack_name(std::string_view text);    // a-z 0-9 -, 1..63, no - at either end
[[nodiscard]] bool is_version(std::string_view text);      // 1.4.0 or 1.4.0-rc.1, at most 64
[[nodiscard]] bool is_id(std::string_view text);           // letter, then letters digits _ -, at most 63
[[nodiscard]] bool is_secret_name(std::string_view text);  // letters digits . _ -, first a letter or digit, at most 63
[[nodiscard]] bool is_output_name(
    std::string_view text);  // of $STELLA_OUTPUT: letters digits _, no digit first, at most 64
[[nodiscard]] bool is_variable(std::string_view text);    // letters digits _, no digit first, not STELLA_...
[[nodiscard]] bool is_host(std::string_view text);        // a DNS name or an IP address, at most 253
[[nodiscard]] bool is_inner_path(std::string_view text);  // relative, no empty part, `.` or `..`, at most 1,024
[[nodiscard]] bool is_image_name(
    std::string_view text);  // parts of a-z 0-9 with . _ - between, split by /, at most 128
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace stella::pack
