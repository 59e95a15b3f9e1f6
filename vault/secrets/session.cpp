// SPDX-License-Identifier: Apache-2.0
#include "vault/secrets/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::secrets {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kValuePadding = 256;
constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kWrappedKeyBytes = keys::kKeyBytes + keys::kOverheadBytes;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 48;

Error altered(std::string_view reason, const std::string& what, const std::string& path) {
  return Error(Code::vault_tampered, reason, what, path);
}

keys::Binding head_binding(const keys::VaultId& vault) {
  keys::Binding bound("stella.vault.head.v1");
  return bound.add(std::span<const std::uint8_t>(vault));
}

keys::Binding contents_binding(const keys::VaultId& vault, std::int64_t generation, const canon::Digest& root) {
  keys::Binding bound("stella.vault.contents.v1");
  return bound.add(std::span<const std::uint8_t>(vault)).add(generation).add(std::span<const std::uint8_t>(root.bytes));
}

keys::Binding object_binding(std::string_view purpose, const keys::VaultId& vault, const Secret& secret,
                             std::int64_t version) {
  keys::Binding bound(purpose);
  bound.add(std::span<const std::uint8_t>(vault)).add(secret.tenant).add(secret.scope).add(secret.name);
  return bound.add(version).add(secret.term);
}

// The length, the value, zeros to the next step: the file shows how many steps a value takes and no more.
locked::Bytes padded(const locked::Bytes& value) {
  const auto size = (value.size() + kLengthBytes + kValuePadding - 1) / kValuePadding * kValuePadding;
  locked::Bytes result(size);
  for (std::size_t i = 0; i < kLengthBytes; ++i) result.data()[i] = static_cast<std::uint8_t>(value.size() >> (8 * i));
  std::memcpy(result.data() + kLengthBytes, value.data(), value.size());
  return result;
}

std::optional<locked::Bytes> unpadded(const locked::Bytes& bytes) {
  if (bytes.size() < kLengthBytes) return std::nullopt;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) size |= std::uint64_t{bytes.data()[i]} << (8 * i);
  if (size > bytes.size() - kLengthBytes) return std::nullopt;
  return locked::Bytes::copy_of(bytes.span().subspan(kLengthBytes, size));
}

std::optional<std::string> last_four(const locked::Bytes& value) {
  if (value.size() < 16) return std::nullopt;
  const auto tail = value.view().substr(value.size() - 4);
  if (!std::ranges::all_of(tail, [](char c) { return c > ' ' && c <= '~'; })) return std::nullopt;
  return std::string(tail);
}

}  // namespace

Unsealed::Unsealed(VaultFile opened, Header found, locked::Bytes root_key, const clock::Clock& time)
    : file(std::move(opened)),
      header(std::move(found)),
      root(std::move(root_key)),
      head_key(keys::record_key(root, header.vault, "head")),
      contents_key(keys::record_key(root, header.vault, "contents")),
      trail(root, header.vault),
      clock(&time) {}

Session::Session(Unsealed& state, Begin begin) : state_(&state), transaction_(state.file.connection()) {
  if (begin == Begin::existing) {
    load();
  } else {
    changed_ = true;
  }
}

void Session::load() {
  const auto& path = state_->file.path();
  const auto row = state_->file.head();
  const auto sealed = keys::open(state_->head_key, row.head, head_binding(state_->header.vault));
  if (!sealed) throw altered("head", "the vault's head was altered", path);
  const auto object = canon::parse_json(sealed->view(), Code::vault_tampered, "vault head");
  canon::Fields fields(object, Code::vault_tampered, "head", "vault head");
  generation_ = fields.integer("generation", 1, kMaxCount);
  root_ = canon::parse_digest(fields.text("root"), Code::vault_tampered, "vault head");
  audit_size_ = fields.integer("auditSize", 0, kMaxCount);
  audit_chain_ = canon::parse_digest(fields.text("auditChain"), Code::vault_tampered, "vault head");
  fields.finish();
  if (row.generation != generation_ || row.merkle_root != root_)
    throw altered("head", "the vault's published head is not the one it vouches for", path);
  const auto index =
      keys::open(state_->contents_key, row.contents, contents_binding(state_->header.vault, generation_, root_));
  if (!index) throw altered("contents", "the vault's index was altered", path);
  contents = read_contents(*index);
  if (merkle_root(contents.digests()) != root_)
    throw altered("contents", "the vault's index does not fit its head", path);
  if (generation_ < state_->seen_generation || audit_size_ < state_->seen_audit)
    throw Error(Code::vault_rollback, "generation", "the vault's file went back to an older state while it was open",
                path);
}

void Session::note(const Purpose& purpose) {
  const audit::Entry entry{.number = audit_size_ + 1,
                           .at = state_->clock->now(),
                           .action = purpose.action,
                           .tenant = purpose.tenant,
                           .user = audit::present_user(),
                           .detail = purpose.detail};
  const auto line = state_->trail.seal(entry, audit_chain_);
  state_->file.add_audit(line);
  audit_size_ = line.number;
  audit_chain_ = line.chain;
}

void Session::commit() {
  if (changed_) {
    ++generation_;
    root_ = merkle_root(contents.digests());
  }
  const auto text = canon::canonical({{"generation", generation_},
                                      {"root", root_.tagged()},
                                      {"auditSize", audit_size_},
                                      {"auditChain", audit_chain_.tagged()}});
  const std::span plain(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  auto row = HeadRow{.generation = generation_,
                     .merkle_root = root_,
                     .head = keys::seal(state_->head_key, plain, head_binding(state_->header.vault)),
                     .contents = {}};
  row.contents = keys::seal(state_->contents_key, write_contents(contents).span(),
                            contents_binding(state_->header.vault, generation_, root_));
  state_->file.write_head(row);
  files::crash_point("vault.commit");
  transaction_.commit();
  files::crash_point("vault.committed");
  state_->seen_generation = generation_;
  state_->seen_audit = audit_size_;
}

std::vector<audit::Entry> Session::verify() const {
  const auto& path = state_->file.path();
  if (state_->file.object_digests() != contents.digests())
    throw altered("object", "a secret's sealed value was altered, added or taken away", path);
  std::vector<audit::Entry> entries;
  canon::Digest before{};
  for (const auto& line : state_->file.audit_lines()) {
    if (line.number != static_cast<std::int64_t>(entries.size()) + 1)
      throw altered("audit", "an entry of the vault's trail is missing", path);
    entries.push_back(state_->trail.open(line, before));
    before = line.chain;
  }
  if (static_cast<std::int64_t>(entries.size()) != audit_size_ || before != audit_chain_)
    throw altered("audit", "the end of the vault's trail was altered", path);
  return entries;
}

Version Session::add_object(const Secret& secret, const locked::Bytes& value) {
  const auto& vault = state_->header.vault;
  const auto number = secret.last + 1;
  const auto data_key = keys::random_key();
  auto body = keys::seal(keys::tenant_key(state_->root, vault, secret.tenant, secret.term), data_key.span(),
                         object_binding("stella.vault.data-key.v1", vault, secret, number));
  const auto sealed =
      keys::seal(data_key, padded(value).span(), object_binding("stella.vault.value.v1", vault, secret, number));
  body.insert(body.end(), sealed.begin(), sealed.end());
  Version version{.number = number,
                  .object = canon::random_hex(16),
                  .digest = canon::sha256(std::span<const std::uint8_t>(body)),
                  .created = state_->clock->now(),
                  .last_four = last_four(value),
                  .is_short = value.size() < kShortBytes};
  state_->file.add_object(version.object, body);
  return version;
}

locked::Bytes Session::open_object(const Secret& secret, const Version& version) const {
  const auto refused = [&] { return altered("object", "a secret's sealed value was altered", state_->file.path()); };
  const auto& vault = state_->header.vault;
  const auto body = state_->file.object(version.object);
  if (canon::sha256(std::span<const std::uint8_t>(body)) != version.digest || body.size() < kWrappedKeyBytes)
    throw refused();
  const std::span<const std::uint8_t> all(body);
  const auto data_key =
      keys::open(keys::tenant_key(state_->root, vault, secret.tenant, secret.term), all.first(kWrappedKeyBytes),
                 object_binding("stella.vault.data-key.v1", vault, secret, version.number));
  if (!data_key) throw refused();
  const auto plain = keys::open(*data_key, all.subspan(kWrappedKeyBytes),
                                object_binding("stella.vault.value.v1", vault, secret, version.number));
  auto value = plain ? unpadded(*plain) : std::nullopt;
  if (!value) throw refused();
  return std::move(*value);
}

}  // namespace stella::secrets
