// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/identity.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/reading.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::site {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFile = 65536;

// The identity never has a passphrase, so nobody is ever asked.
class NobodyToAsk final : public trust::Passphrases {
 public:
  locked::Bytes ask(const std::string&) override {
    throw Error(Code::key_unusable, "identity",
                "the appliance's identity has a passphrase, so nothing could be signed unattended");
  }
  locked::Bytes ask_new(const std::string& prompt) override { return ask(prompt); }
};

struct Paper {  // identity.json
  std::string id;
  std::int64_t number = 1;
  std::string key_id;
};

std::string key_path(const files::Home& home) {
  return home.site() + "/identity.key";
}
std::string paper_path(const files::Home& home) {
  return home.site() + "/identity.json";
}

Paper load_paper(const files::Home& home) {
  const std::string path = paper_path(home);
  const canon::Json object = canon::parse_json(
      files::read_input(path, {.max_bytes = kMaxFile, .links = files::Links::refuse}), Code::key_unusable, path);
  canon::Fields fields(object, Code::key_unusable, "format", path);
  Paper paper{fields.text("id", 63), fields.integer("number", 1, 1000000), fields.text("keyid", 64)};
  fields.ignore("since");
  fields.finish();
  return paper;
}

void store_paper(const files::Home& home, const Paper& paper, clock::Time now) {
  files::write_atomically(
      paper_path(home),
      canon::pretty(
          {{"id", paper.id}, {"number", paper.number}, {"keyid", paper.key_id}, {"since", clock::format(now)}}),
      0600);
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace

bool has_identity(const files::Home& home) {
  return exists(paper_path(home)) && exists(key_path(home));
}

Identity load_identity(const files::Home& home) {
  if (!has_identity(home)) {
    throw Error(Code::key_unusable, "identity", "this home has no appliance identity", home.site(),
                "Make it once with `stella site identity --id NAME --out FILE.pub` and have a site admin list it.");
  }
  NobodyToAsk nobody;
  trust::LoadedKey loaded = trust::load_key(key_path(home), nobody);
  const Paper paper = load_paper(home);
  if (paper.key_id != loaded.key.public_key().key_id()) {
    throw Error(Code::key_unusable, "identity", "identity.json and identity.key do not belong together", key_path(home),
                "A renewal was interrupted: run `stella site identity --renew` again.");
  }
  return {paper.id, std::move(loaded.key)};
}

Identity make_identity(const files::Home& home, const std::string& id, clock::Time now) {
  if (!is_name(id))
    throw Error(Code::usage, "name",
                fmt::format("`{}` is not an appliance's name: lower-case letters, digits, `.`, `_`, `-`; at most 63",
                            canon::printable(id, 60)));
  if (has_identity(home)) {
    throw Error(Code::usage, "identity", "this home has an identity already", home.site(),
                "Leave out --id to see it, or say --renew for its next key.");
  }
  files::make_folders(home.site());
  trust::PrivateKey key = trust::PrivateKey::generate();
  files::write_atomically(key_path(home), trust::plain_key(key).view(), 0600);
  files::crash_point("site.identity");
  store_paper(home, {id, 1, key.public_key().key_id()}, now);  // last: without it there is no identity yet
  (void)look_at_home(home);
  return {id, std::move(key)};
}

Renewed renew_identity(const files::Home& home, clock::Time now) {
  const Paper paper = load_paper(home);
  const std::string kept = fmt::format("{}/identity.{}.key", home.site(), paper.number);
  NobodyToAsk nobody;
  trust::LoadedKey old = trust::load_key(key_path(home), nobody);
  if (old.key.public_key().key_id() == paper.key_id) {
    files::write_atomically(kept, trust::plain_key(old.key).view(), 0600);
  } else {
    old = trust::load_key(kept, nobody);  // a renewal was cut short: the last key that anybody knows is the kept one
  }
  trust::PrivateKey key = trust::PrivateKey::generate();
  files::write_atomically(key_path(home), trust::plain_key(key).view(), 0600);
  files::crash_point("site.renewed");
  store_paper(home, {paper.id, paper.number + 1, key.public_key().key_id()}, now);
  return {{paper.id, std::move(key)}, {paper.id, std::move(old.key)}};
}

}  // namespace stella::site
