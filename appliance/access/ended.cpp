// SPDX-License-Identifier: Apache-2.0
#include "appliance/access/ended.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::access {
namespace {

using canon::Json;
using fault::Code;

constexpr std::string_view kSchema = "stella.sessions.v1";
constexpr std::uint64_t kMaxFile = 4 << 20;

Ended parse(const std::string& path) {
  const std::string text = files::read_input(path, {kMaxFile, files::Empty::refuse, files::Links::refuse});
  const Json object = canon::parse_json(text, Code::file_unsuitable, path, kMaxFile);
  canon::Fields fields(object, Code::file_unsuitable, "sessions", path);
  (void)fields.choice("schema", {std::string(kSchema)});
  Ended ended;
  ended.before = clock::parse_time(fields.text("before", 40), Code::file_unsuitable, path);
  for (const Json& one : fields.array("ended", kMaxEnded)) {
    canon::Fields session(one, Code::file_unsuitable, "sessions", path);
    const clock::Time until = clock::parse_time(session.text("until", 40), Code::file_unsuitable, path);
    ended.sessions.insert({until, session.text("nonce", 64)});
    session.finish();
  }
  fields.finish();
  return ended;
}

}  // namespace

void Ended::trim() {
  while (sessions.size() > kMaxEnded) {
    before = std::max(before, sessions.begin()->first);
    sessions.erase(sessions.begin());
  }
}

void Ended::add(clock::Time until, const std::string& nonce) {
  sessions.insert({until, nonce});
  trim();
}

void Ended::merge(Ended other) {
  before = std::max(before, other.before);
  sessions.merge(other.sessions);
  trim();
}

std::string ended_path(const files::Home& home) {
  return home.path() + "/access/ended.json";
}

Ended load_ended(const files::Home& home) {
  const std::string path = ended_path(home);
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 && errno == ENOENT) return {};
  try {
    return parse(path);
  } catch (const fault::Error& error) {
    if (error.code() != Code::file_unsuitable) throw;
    throw fault::Error(error.code(), error.reason(), error.what(), path,
                       "Stop the server, remove access/ended.json and access/session.key of the home, both, and start "
                       "it again: everybody signs in anew. Tokens and sockets work meanwhile.");
  }
}

void save_ended(const files::Home& home, const Ended& ended) {
  Json list = Json::array();
  for (const auto& [until, nonce] : ended.sessions)
    list.push_back({{"until", clock::format_millis(until)}, {"nonce", nonce}});
  const Json object = {{"schema", kSchema}, {"before", clock::format_millis(ended.before)}, {"ended", std::move(list)}};
  files::write_atomically(ended_path(home), canon::pretty(object), 0600);
}

}  // namespace stella::access
