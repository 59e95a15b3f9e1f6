// SPDX-License-Identifier: Apache-2.0
// key new, show.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "appliance/cli/command.hpp"
#include "appliance/cli/size.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::string_view kEvidenceNameSpace = "stella-evidence";

void require_absent(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return;
  throw Error(Code::file_unsuitable, "exists", fmt::format("{} is there already", path), path,
              "Name another file; a key that was replaced by mistake is lost.");
}

locked::Bytes sealed_bytes(Invocation& call, const trust::PrivateKey& key, const std::string& path,
                           const std::string& name) {
  const auto given = call.value("--kdf-memory");
  const std::uint64_t memory = given ? parse_size(*given, "--kdf-memory") : trust::kKdfMemoryDefault;
  if (memory < trust::kKdfMemoryFloor || memory > trust::kKdfMemoryCeiling) {
    throw Error(Code::usage, "kdf-memory", "--kdf-memory must lie between 64MiB and 2GiB");
  }
  const locked::Bytes passphrase = call.passphrases().ask_new("new passphrase for " + path);
  if (passphrase.empty()) {
    throw Error(Code::key_unusable, "passphrase", "an empty passphrase protects nothing", path,
                "Give a passphrase, or say --no-passphrase for a key in clear.");
  }
  return locked::Bytes::copy_of(trust::seal_key(key, name, passphrase, memory, call.clock().now()));
}

int key_new(Invocation& call) {
  const std::string path = call.need("--out"), public_path = path + ".pub";
  const std::string name = call.value("--name").value_or("");
  const bool plain = call.flag("--no-passphrase");
  if (plain && call.value("--kdf-memory")) {
    throw Error(Code::usage, "kdf-memory", "--kdf-memory and --no-passphrase exclude each other");
  }
  if (name.size() > 100 || canon::printable(name) != name) {
    throw Error(Code::usage, "name", "--name is at most 100 bytes that print as they are");
  }
  require_absent(path);
  require_absent(public_path);
  const trust::PrivateKey key = trust::PrivateKey::generate();
  const locked::Bytes file = plain ? trust::plain_key(key) : sealed_bytes(call, key, path, name);
  files::write_atomically(path, file.view(), 0600, files::Replace::no);
  files::write_atomically(public_path, key.public_key().pem(), 0644, files::Replace::no);
  Output& out = call.out();
  out.say(fmt::format("{}  private, {}", path, plain ? out.bad("without passphrase") : "under your passphrase"));
  out.say(fmt::format("{}  public: this is the one to give away", public_path));
  out.say(fmt::format("id          {}", key.public_key().key_id()));
  out.say(fmt::format("PUBLIC-KEY  {}", key.public_key().line()));
  out.result({{"file", path},
              {"publicFile", public_path},
              {"id", key.public_key().key_id()},
              {"publicKey", key.public_key().line()},
              {"name", name},
              {"protected", !plain}});
  return 0;
}

std::string_view kind_name(trust::KeyKind kind) {
  switch (kind) {
    case trust::KeyKind::public_key:
      return "public";
    case trust::KeyKind::sealed:
      return "private, with a passphrase";
    case trust::KeyKind::plain:
      break;
  }
  return "private, without passphrase";
}

trust::KeyFile read_key_argument(Invocation& call, const std::string& path) {
  if (path != "-") return trust::inspect_key_file(path);
  const std::string pem = call.read_argument(path, 65536);
  return {trust::KeyKind::public_key, trust::parse_public_pem(pem, Code::key_unusable, "standard input"), {}};
}

// Both forms put the name into a line of words.
void require_word(const std::string& word, const std::string& option, std::string_view forbidden) {
  const bool good = !word.empty() && word.size() <= 200 && word.find_first_of(forbidden) == std::string::npos &&
                    std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!good)
    throw Error(Code::usage, "name", fmt::format("{} takes one word of printable ASCII without {}", option, forbidden));
}

int key_show(Invocation& call) {
  const std::string path = call.need("FILE");
  const auto principal = call.value("--ssh"), vkey_name = call.value("--vkey");
  if (principal && vkey_name) throw Error(Code::usage, "options", "--ssh and --vkey exclude each other");
  if (principal) require_word(*principal, "--ssh", "\",*?!#");
  if (vkey_name) require_word(*vkey_name, "--vkey", "+");
  const trust::KeyFile file = read_key_argument(call, path);
  const trust::PublicKey& key = file.public_key;
  canon::Json result = {{"id", key.key_id()},
                        {"kind", file.kind == trust::KeyKind::public_key ? "public" : "private"},
                        {"protected", file.kind == trust::KeyKind::sealed},
                        {"name", file.name},
                        {"publicKey", key.line()}};
  Output& out = call.out();
  if (principal || vkey_name) {
    const std::string line = principal ? key.ssh_line(*principal, kEvidenceNameSpace) : key.vkey(*vkey_name);
    out.say(line);
    result[principal ? "ssh" : "vkey"] = line;
  } else {
    out.say(fmt::format("id          {}", key.key_id()));
    out.say(fmt::format("kind        {}", kind_name(file.kind)));
    if (!file.name.empty()) out.say(fmt::format("name        {}", canon::printable(file.name, 256)));
    out.say(fmt::format("PUBLIC-KEY  {}", key.line()));
  }
  out.result(result);
  return 0;
}

}  // namespace

std::vector<Command> key_commands() {
  return {
      {{"key", "new"},
       "make an Ed25519 key: FILE and FILE.pub",
       "stella key new --out ada.key --name \"Ada Obi\"",
       {},
       {{"--out", "FILE", "the private half, mode 0600; the public half is FILE.pub", true},
        {"--name", "N", "whose it is, written into the file"},
        {"--no-passphrase", "", "write it in clear, as PKCS#8 PEM"},
        {"--kdf-memory", "SIZE", "memory for a guess at the passphrase, 64MiB to 2GiB (256MiB)"}},
       key_new},
      {{"key", "show"},
       "id, kind and name of a key file, or its line for other tools",
       "stella key show ada.key.pub",
       {{"FILE", "FILE or FILE.pub; - is standard input", true, false}},
       {{"--ssh", "PRINCIPAL", "as a line of allowed_signers for ssh-keygen -Y verify"},
        {"--vkey", "NAME", "as a C2SP verifier key for signed notes"}},
       key_show},
  };
}

}  // namespace stella::cli
