// SPDX-License-Identifier: Apache-2.0
// The formats that name a place on a network. Any thread.
// Source: RFC 2673 section 3.2 (ipv4), RFC 4291 section 2.2 (ipv6), RFC 1123 section 2.1 (hostname), RFC 5321 section
// 4.1.2 (email, without comments and obsolete forms).
#pragma once

#include <string_view>

namespace stella::schema {

[[nodiscard]] bool is_ipv4(std::string_view text);
[[nodiscard]] bool is_ipv6(std::string_view text);
[[nodiscard]] bool is_hostname(std::string_view text);
[[nodiscard]] bool is_email(std::string_view text);

}  // namespace stella::schema
