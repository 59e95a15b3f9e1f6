// SPDX-License-Identifier: Apache-2.0
// PEM with one block and nothing around it. Any thread.
// Limits: up to 64 lines of at most 64 base64 characters; \n or \r\n. Source: RFC 7468, strict form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bundles/locked/bytes.hpp"

namespace stella::trust {

[[nodiscard]] std::string write_pem(std::string_view label, std::string_view der);
// The bytes of the block with this label; nullopt when the text is anything else.
[[nodiscard]] std::optional<std::string> find_pem(std::string_view label, std::string_view text);
// The same for private keys: neither text nor bytes ever leave locked memory.
[[nodiscard]] locked::Bytes write_secret_pem(std::string_view label, const locked::Bytes& der);
[[nodiscard]] std::optional<locked::Bytes> find_secret_pem(std::string_view label, const locked::Bytes& text);

}  // namespace stella::trust
