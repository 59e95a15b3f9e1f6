// SPDX-License-Identifier: Apache-2.0
#include "vault/audit/trail.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "bundles/canon/fields.hpp"

namespace stella::audit {
namespace {

using canon::Digest;
using fault::Code;
using fault::Error;

keys::Binding binding(const keys::VaultId& vault, std::int64_t number, const Digest& before) {
  keys::Binding bound("stella.vault.audit.v1");
  bound.add(std::span<const std::uint8_t>(vault)).add(number).add(std::span<const std::uint8_t>(before.bytes));
  return bound;
}

Digest chained(const Digest& before, std::int64_t number, std::span<const std::uint8_t> body) {
  std::array<std::uint8_t, 8> big_endian{};
  for (std::size_t i = 0; i < big_endian.size(); ++i)
    big_endian[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(number) >> (56 - 8 * i));
  canon::Sha256 hasher;
  hasher.update(std::span<const std::uint8_t>(before.bytes));
  hasher.update(std::span<const std::uint8_t>(big_endian));
  hasher.update(body);
  return hasher.finish();
}

Error broken(std::int64_t number) {
  return Error(Code::vault_tampered, "audit", fmt::format("entry {} of the vault's trail was altered", number),
               fmt::format("audit entry {}", number));
}

}  // namespace

Trail::Trail(const locked::Bytes& root, const keys::VaultId& vault)
    : key_(keys::record_key(root, vault, "audit")), vault_(vault) {}

Line Trail::seal(const Entry& entry, const Digest& before) const {
  const auto text = canon::canonical({{"action", entry.action},
                                      {"at", clock::format_millis(entry.at)},
                                      {"detail", entry.detail},
                                      {"tenant", entry.tenant},
                                      {"user", entry.user}});
  const std::span plain(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  Line line{
      .number = entry.number, .body = keys::seal(key_, plain, binding(vault_, entry.number, before)), .chain = {}};
  line.chain = chained(before, line.number, line.body);
  return line;
}

Entry Trail::open(const Line& line, const Digest& before) const {
  if (chained(before, line.number, line.body) != line.chain) throw broken(line.number);
  const auto plain = keys::open(key_, line.body, binding(vault_, line.number, before));
  if (!plain) throw broken(line.number);
  const auto at = fmt::format("audit entry {}", line.number);
  const auto object = canon::parse_json(plain->view(), Code::vault_tampered, at);
  canon::Fields fields(object, Code::vault_tampered, "audit", at);
  Entry entry{.number = line.number,
              .at = clock::parse_time(fields.text("at"), Code::vault_tampered, at),
              .action = fields.text("action"),
              .tenant = fields.text("tenant"),
              .user = fields.text("user"),
              .detail = fields.any("detail")};
  fields.finish();
  return entry;
}

std::string present_user() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return entry.pw_name;
  return std::to_string(::getuid());
}

}  // namespace stella::audit
