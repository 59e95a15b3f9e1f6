// SPDX-License-Identifier: Apache-2.0
#include "bundles/trust/key_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bundles/files/read.hpp"
#include "bundles/trust/pem.hpp"
#include "bundles/trust/sealed_key.hpp"

namespace stella::trust {
namespace {

using namespace std::string_view_literals;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFile = 65536;
// PrivateKeyInfo, version 0, Ed25519, OCTET STRING in OCTET STRING: RFC 8410 section 7.
constexpr auto kPkcs8Prefix = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"sv;
constexpr std::string_view kPublicMark = "-----BEGIN PUBLIC KEY-----", kPrivateMark = "-----BEGIN PRIVATE KEY-----";

locked::Bytes read_locked(const files::Fd& file, const std::string& path) {
  locked::Bytes text(kMaxFile);
  std::size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fault::system_error(errno, "reading the key", path);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  text.shrink(used);
  return text;
}

// Asked of the descriptor that is read, so that nobody can swap the file between check and use.
void require_private(const files::Fd& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw fault::system_error(errno, "looking at the key", path);
  if (info.st_uid != ::geteuid()) {
    throw Error(Code::key_unusable, "mode", fmt::format("{} belongs to uid {}, not to this user", path, info.st_uid),
                path, "Use a key file of your own.");
  }
  if ((info.st_mode & 07777 & ~0600U) != 0) {
    throw Error(Code::key_unusable, "mode",
                fmt::format("{} has mode {:04o}: only its owner may read a key", path, info.st_mode & 07777), path,
                fmt::format("chmod 600 {}   (if others could read it, make a new key)", path));
  }
}

PrivateKey parse_plain(const locked::Bytes& text, const std::string& path) {
  const std::optional<locked::Bytes> der = find_secret_pem("PRIVATE KEY", text);
  if (!der || der->size() != kPkcs8Prefix.size() + 32 || !der->view().starts_with(kPkcs8Prefix)) {
    throw Error(Code::key_unusable, "format", fmt::format("{} is not the PKCS#8 PEM of an Ed25519 key", path), path);
  }
  return PrivateKey::from_seed(locked::Bytes::copy_of(der->span().subspan(kPkcs8Prefix.size())));
}

struct Read {
  KeyKind kind;
  locked::Bytes text;
};

Read read_key_file(const std::string& path) {
  const files::Fd file = files::open_input(path, {.max_bytes = kMaxFile});
  locked::Bytes text = read_locked(file, path);
  if (text.view().starts_with(kPublicMark)) return {KeyKind::public_key, std::move(text)};
  require_private(file, path);
  if (text.view().starts_with(kPrivateMark)) return {KeyKind::plain, std::move(text)};
  if (text.view().starts_with('{')) return {KeyKind::sealed, std::move(text)};
  throw Error(Code::key_unusable, "format", fmt::format("{} is not a key file", path), path,
              "Give a file that `stella key new` wrote.");
}

}  // namespace

locked::Bytes plain_key(const PrivateKey& key) {
  locked::Bytes der(kPkcs8Prefix.size() + key.seed().size());
  std::copy(key.seed().begin(), key.seed().end(), std::copy(kPkcs8Prefix.begin(), kPkcs8Prefix.end(), der.data()));
  return write_secret_pem("PRIVATE KEY", der);
}

LoadedKey load_key(const std::string& path, Passphrases& passphrases) {
  const Read read = read_key_file(path);
  if (read.kind == KeyKind::public_key) {
    throw Error(Code::key_unusable, "format", fmt::format("{} is a public key; the private one is needed here", path),
                path, "Give the file without .pub.");
  }
  if (read.kind == KeyKind::plain) return {parse_plain(read.text, path), {}, false};
  const SealedKey sealed = parse_sealed(read.text.view(), path);
  const locked::Bytes passphrase = passphrases.ask("passphrase for " + path);
  return {open_sealed(sealed, passphrase, path), sealed.subject, true};
}

PublicKey load_public(const std::string& path) {
  const std::string text = files::read_input(path, {.max_bytes = kMaxFile});
  if (!text.starts_with(kPublicMark)) {
    throw Error(Code::key_unusable, "format", fmt::format("{} is not a PEM public key", path), path,
                "Give the file that ends in .pub.");
  }
  return parse_public_pem(text, Code::key_unusable, path);
}

KeyFile inspect_key_file(const std::string& path) {
  const Read read = read_key_file(path);
  switch (read.kind) {
    case KeyKind::public_key:
      return {read.kind, parse_public_pem(read.text.view(), Code::key_unusable, path), {}};
    case KeyKind::plain:
      return {read.kind, parse_plain(read.text, path).public_key(), {}};
    case KeyKind::sealed:
      break;
  }
  const SealedKey sealed = parse_sealed(read.text.view(), path);
  return {KeyKind::sealed, sealed.public_key, sealed.subject};
}

}  // namespace stella::trust
