// SPDX-License-Identifier: Apache-2.0
// The secrets that receivers know us by: files of the operator beneath the home's notify/, one each, mode 0600. They
// are read when a message is posted, into locked memory, and stand in no message, log or command line. Any thread.
#pragma once

#include <optional>
#include <string>

#include "bundles/files/home.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::notify {

[[nodiscard]] inline std::string credentials_of(const files::Home& home) {
  return home.path() + "/notify";
}

// The first line of notify/NAME, at most 4,096 bytes of visible ASCII; empty where `name` is. ERR_FILE_NOT_FOUND;
// ERR_KEY_UNUSABLE reasons `mode` (not this user's alone), `format`.
[[nodiscard]] locked::Bytes load_credential(const files::Home& home, const std::string& name);
// notify/ca.pem: the only authorities believed, where it is there. Others must not be able to write it:
// ERR_KEY_UNUSABLE reason `mode`.
[[nodiscard]] std::optional<std::string> find_ca_file(const files::Home& home);

}  // namespace stella::notify
