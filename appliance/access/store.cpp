// SPDX-License-Identifier: Apache-2.0
#include "appliance/access/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/stamp.hpp"
#include "bundles/files/write.hpp"

namespace stella::access {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::string_view kSchema = "stella.tokens.v1";
constexpr std::uint64_t kMaxFile = 4 << 20;
constexpr auto kRemember = std::chrono::hours(24 * 90);

std::string folder_of(const files::Home& home) {
  return home.path() + "/access";
}
std::string path_of(const files::Home& home) {
  return folder_of(home) + "/tokens.json";
}

bool is_there(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

void save(const files::Home& home, const std::vector<Token>& tokens) {
  Json list = Json::array();
  for (const Token& token : tokens) list.push_back(to_json(token));
  files::write_atomically(path_of(home), canon::pretty({{"schema", kSchema}, {"tokens", std::move(list)}}), 0600);
}

bool is_long_gone(const Token& token, clock::Time now) {
  const auto ended = token.revoked ? token.revoked : token.expires;
  return ended && now - *ended > kRemember;
}

}  // namespace

files::Fd lock_store(const files::Home& home) {
  files::make_folders(folder_of(home), 0700);
  const std::string path = folder_of(home) + "/lock";
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "opening", path);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw fault::system_error(errno, "locking", path);
  }
  return fd;
}

std::vector<Token> load_tokens(const files::Home& home) {
  const std::string path = path_of(home);
  if (!is_there(path)) return {};
  const std::string text = files::read_input(path, {kMaxFile, files::Empty::refuse, files::Links::refuse});
  const Json object = canon::parse_json(text, Code::file_unsuitable, path);
  canon::Fields fields(object, Code::file_unsuitable, "tokens", path);
  (void)fields.choice("schema", {std::string(kSchema)});
  std::vector<Token> tokens;
  std::set<std::string> ids;
  for (const Json& one : fields.array("tokens", kMaxTokens)) {
    tokens.push_back(from_json(one, path));
    if (!ids.insert(tokens.back().id).second) fields.fail("holds an id twice", "tokens");
  }
  fields.finish();
  return tokens;
}

void add_token(const files::Home& home, const Token& token, clock::Time now) {
  const files::Fd lock = lock_store(home);
  auto tokens = load_tokens(home);
  std::erase_if(tokens, [&](const Token& one) { return is_long_gone(one, now); });
  if (tokens.size() >= kMaxTokens)
    throw Error(Code::usage, "full", fmt::format("a home has at most {} tokens", kMaxTokens), {},
                "Revoked tokens are forgotten after 90 days; give the rest an --expires.");
  tokens.push_back(token);
  save(home, tokens);
}

Token revoke_token(const files::Home& home, const std::string& id, clock::Time now) {
  const files::Fd lock = lock_store(home);
  auto tokens = load_tokens(home);
  const auto found = std::ranges::find(tokens, id, &Token::id);
  if (found == tokens.end())
    throw Error(Code::file_not_found, "token", fmt::format("there is no token {}", canon::printable(id, 100)), {},
                "See `stella token list`.");
  if (!found->revoked) {
    found->revoked = now;
    save(home, tokens);
  }
  return *found;
}

void Keyring::look_again() {
  const std::string seen = files::stamp_of(path_);
  if (seen == seen_) return;
  std::map<std::string, Token> tokens;
  for (Token& token : load_tokens(home_)) tokens.emplace(token.id, std::move(token));
  tokens_ = std::move(tokens);
  seen_ = seen;
}

std::optional<Token> Keyring::find_id(const std::string& id) {
  const std::lock_guard lock(mutex_);
  look_again();
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Token> Keyring::find(std::string_view text) {
  const auto id = id_in(text);
  if (!id) return std::nullopt;
  auto token = find_id(*id);
  if (token && !fits(*token, text)) return std::nullopt;
  return token;
}

}  // namespace stella::access
