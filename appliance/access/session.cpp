// SPDX-License-Identifier: Apache-2.0
#include "appliance/access/session.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "appliance/access/store.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/stamp.hpp"
#include "bundles/files/write.hpp"

namespace stella::access {
namespace {

constexpr std::size_t kKeyBytes = 32, kBlock = 64;

locked::Bytes load_or_make(const files::Home& home) {
  const std::string folder = home.path() + "/access", path = folder + "/session.key";
  files::make_folders(folder, 0700);
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    locked::Bytes fresh(kKeyBytes);
    locked::fill_random({fresh.data(), fresh.size()});
    try {
      files::write_atomically(path, fresh.view(), 0600, files::Replace::no);
    } catch (const fault::Error& error) {
      if (error.reason() != "exists") throw;  // another server was quicker: its key is the one
    }
  }
  const files::Fd file = files::open_input(path, {kKeyBytes, files::Empty::refuse, files::Links::refuse});
  locked::Bytes key;
  files::stream_input(file, path, kKeyBytes, [&](std::string_view bytes) { key = locked::Bytes::copy_of(bytes); });
  if (key.size() != kKeyBytes)
    throw fault::Error(fault::Code::file_unsuitable, "size", fmt::format("{} is no session key", path), path,
                       "Remove the file; who is logged in has to log in again.");
  return key;
}

std::array<std::string_view, 4> fields_of(std::string_view cookie) {
  std::array<std::string_view, 4> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto dot = cookie.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return {};
    fields[i] = cookie.substr(0, dot);
    if (i < 3) cookie.remove_prefix(dot + 1);
  }
  return fields;
}

bool same(std::string_view a, std::string_view b) {
  const auto bytes = [](std::string_view text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  return locked::equal(bytes(a), bytes(b));
}

}  // namespace

canon::Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view message) {
  std::array<std::uint8_t, kBlock> inner{}, outer{};
  canon::Digest short_key{};
  if (key.size() > kBlock) {
    short_key = canon::sha256(key);
    key = short_key.bytes;
  }
  std::ranges::copy(key, inner.begin());
  outer = inner;
  for (auto& byte : inner) byte ^= 0x36U;
  for (auto& byte : outer) byte ^= 0x5cU;
  canon::Sha256 hasher;
  hasher.update(std::span<const std::uint8_t>(inner));
  hasher.update(message);
  const canon::Digest first = hasher.finish();
  hasher.update(std::span<const std::uint8_t>(outer));
  hasher.update(std::span<const std::uint8_t>(first.bytes));
  return hasher.finish();
}

Sessions::Sessions(const files::Home& home) : home_(home), key_(load_or_make(home)) {}

void Sessions::check() {
  const std::lock_guard lock(mutex_);
  look_again();
}

// The mutex is held. What ended here stays so, whatever the file says.
void Sessions::look_again() {
  const std::string seen = files::stamp_of(ended_path(home_));
  if (seen == seen_) return;
  Ended found = load_ended(home_);
  ended_.merge(std::move(found));
  seen_ = seen;
}

std::string Sessions::sign(std::string_view text) const {
  return hmac_sha256(key_.span(), text).hex();
}

std::string Sessions::begin(const std::string& token_id, std::optional<clock::Time> token_ends, clock::Time now) {
  check();
  clock::Time until = now + kLongest;
  if (token_ends) until = std::min(until, *token_ends);
  const auto second = std::chrono::floor<std::chrono::seconds>(until).time_since_epoch().count();
  const std::string text = fmt::format("{}.{}.{}", token_id, second, canon::random_hex(16));
  return fmt::format("{}.{}", text, sign("cookie " + text));
}

std::optional<Session> Sessions::find(std::string_view cookie, clock::Time now) {
  if (cookie.size() > 200) return std::nullopt;
  const auto [id, until, nonce, mac] = fields_of(cookie);
  if (mac.empty()) return std::nullopt;
  const std::string text(cookie.substr(0, cookie.size() - mac.size() - 1));
  if (!same(sign("cookie " + text), mac)) return std::nullopt;
  std::int64_t second = 0;
  const auto read = std::from_chars(until.data(), until.data() + until.size(), second);
  if (read.ec != std::errc() || read.ptr != until.data() + until.size()) return std::nullopt;
  Session session{std::string(id), std::string(nonce), clock::Time(std::chrono::seconds(second))};
  const std::lock_guard lock(mutex_);
  look_again();
  if (session.until <= now || ended_.contains(session.until, session.nonce)) return std::nullopt;
  return session;
}

std::string Sessions::form_token(std::string_view cookie) const {
  return sign(fmt::format("form {}", cookie));
}

bool Sessions::is_form_token(std::string_view cookie, std::string_view given) const {
  return same(form_token(cookie), given);
}

// At once here; then in the file, while others may look: another process may hold its lock for a while.
void Sessions::end(const Session& session) {
  const auto add = [&] {
    const std::lock_guard lock(mutex_);
    look_again();
    ended_.add(session.until, session.nonce);
    return ended_;
  };
  (void)add();
  const files::Fd store = lock_store(home_);
  save_ended(home_, add());  // with what another server of this home wrote meanwhile
}

}  // namespace stella::access
