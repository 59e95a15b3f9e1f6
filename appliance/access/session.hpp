// SPDX-License-Identifier: Apache-2.0
// What a browser holds instead of a token: a cookie that the server signed. It says which token it stands for and until
// when; whoever takes it looks the token up, so that it dies with the token. It outlives a restart of the server, and
// so does that it was logged out: access/ended.json holds the nonces of those. While that list cannot be read no
// session is good; whatever needs none goes on. Any thread, several servers of one home.
//
// A cookie is `<token id>.<last second>.<nonce>.<HMAC-SHA-256 of the rest>`, hex and digits. The key is 32 random bytes
// in access/session.key (0600), made once.
// Source: RFC 2104 (HMAC).
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "appliance/access/ended.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::access {

[[nodiscard]] canon::Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view message);

struct Session {
  std::string token_id, nonce;
  clock::Time until{};
};

class Sessions {
 public:
  static constexpr std::chrono::hours kLongest{12};
  // Makes the key where it is missing. ERR_FILE_UNSUITABLE for a key file that is none.
  explicit Sessions(const files::Home& home);
  // Looks at the list of what ended, when it has changed. ERR_FILE_UNSUITABLE: no session works until that is mended.
  void check();
  // A new cookie's value; it ends after kLongest or with the token's own end. Errors of check().
  [[nodiscard]] std::string begin(const std::string& token_id, std::optional<clock::Time> token_ends, clock::Time now);
  // Nothing for a cookie that is not ours, was changed, has ended or was logged out. Errors of check().
  [[nodiscard]] std::optional<Session> find(std::string_view cookie, clock::Time now);
  // What a form must send along: another site cannot know it.
  [[nodiscard]] std::string form_token(std::string_view cookie) const;
  [[nodiscard]] bool is_form_token(std::string_view cookie, std::string_view given) const;
  // Logs out: at once here, durably when it returns. Of more than 10,000 those that end first are forgotten, and with
  // them every session that ends no later is refused. Errors of check().
  void end(const Session& session);

 private:
  [[nodiscard]] std::string sign(std::string_view text) const;
  void look_again();
  files::Home home_;
  locked::Bytes key_;
  std::mutex mutex_;
  Ended ended_;
  std::string seen_ = {};  // the stamp of the list that was read
};

}  // namespace stella::access
