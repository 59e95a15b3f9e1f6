// SPDX-License-Identifier: Apache-2.0
// The tokens of a home: access/tokens.json {"schema":"stella.tokens.v1","tokens":[...]}, mode 0600, at most 1,000.
//
// `add` and `revoke` may run in several processes at once (a lock file orders them). A Keyring is the server's view: it
// looks at the file before each use, so that a revocation counts from the moment it is on disk.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "appliance/access/token.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::access {

inline constexpr std::size_t kMaxTokens = 1000;

// In the order they were made. ERR_FILE_UNSUITABLE for a file that no stella wrote.
[[nodiscard]] std::vector<Token> load_tokens(const files::Home& home);
// ERR_USAGE reason `full`. Tokens that were revoked or expired more than 90 days ago make room.
void add_token(const files::Home& home, const Token& token, clock::Time now);
// The token as it stands then; revoking twice keeps the first time. ERR_FILE_NOT_FOUND reason `token`.
Token revoke_token(const files::Home& home, const std::string& id, clock::Time now);

// Held until it goes: one writer of the folder access/ at a time, whichever process.
[[nodiscard]] files::Fd lock_store(const files::Home& home);

// Any thread.
class Keyring {
 public:
  explicit Keyring(const files::Home& home) : path_(home.path() + "/access/tokens.json"), home_(home) {}
  // The token whose text this is, good or not.
  [[nodiscard]] std::optional<Token> find(std::string_view text);
  [[nodiscard]] std::optional<Token> find_id(const std::string& id);

 private:
  void look_again();
  std::string path_;
  files::Home home_;
  std::mutex mutex_;
  std::string seen_;  // the stamp of the file that was read
  std::map<std::string, Token> tokens_;
};

}  // namespace stella::access
