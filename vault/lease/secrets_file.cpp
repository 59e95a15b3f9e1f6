// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <map>

#include "bundles/canon/fields.hpp"
#include "bundles/canon/json.hpp"
#include "vault/lease/lease.hpp"

namespace stella::lease {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxText = std::size_t{1} << 20;
constexpr std::size_t kMaxSecrets = 200;
constexpr std::size_t kMaxValue = 65536;
constexpr std::size_t kMinValue = 8;  // shorter ones cannot be redacted reliably

class FileSource : public Source {
 public:
  explicit FileSource(std::map<std::string, locked::Bytes, std::less<>> values) : values_(std::move(values)) {}

  Leased lease(const Ticket& ticket, const Wanted& wanted) override {
    const bool declared = std::ranges::any_of(
        ticket.declared, [&](const Wanted& one) { return one.name == wanted.name && one.scope == wanted.scope; });
    if (!declared)
      throw Error(Code::vault_denied, "undeclared",
                  fmt::format("step {} did not declare secret {}", ticket.step, wanted.name), wanted.name);
    const auto found = values_.find(wanted.name);
    if (found == values_.end())
      throw Error(Code::pack_secret_missing, "missing",
                  fmt::format("secret {} is not in the secrets file", wanted.name), wanted.name,
                  "Add it to the file given with --secrets.");
    const auto view = found->second.view();
    Leased leased{.name = wanted.name,
                  .scope = wanted.scope,
                  .version = 0,
                  .value = locked::Bytes::copy_of(view),
                  .last_four = std::nullopt};
    if (view.size() >= 16) leased.last_four = canon::printable(view.substr(view.size() - 4));
    return leased;
  }

  // A file has no versions: 0 stands for `as given`.
  std::optional<std::int64_t> version_of(const std::string&, const Wanted& wanted) override {
    return values_.contains(wanted.name) ? std::optional<std::int64_t>(0) : std::nullopt;
  }

 private:
  std::map<std::string, locked::Bytes, std::less<>> values_;
};

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
}

// The parser's own message may name a key, which in a file with a slip may be a value: only the place is said.
canon::Json parsed(std::string_view text, const std::string& name) {
  try {
    return canon::parse_json(text, Code::pack_inputs, name, kMaxText);
  } catch (const Error& error) {
    throw Error(Code::pack_inputs, error.reason(), "the secrets are not a JSON object of names and values", error.at());
  }
}

}  // namespace

std::unique_ptr<Source> open_secrets_file(std::string_view text, const std::string& name) {
  auto object = parsed(text, name);
  if (!object.is_object() || object.size() > kMaxSecrets)
    throw Error(Code::pack_inputs, "secrets",
                fmt::format("{} must be a JSON object of secret names and values, at most {}", name, kMaxSecrets),
                name);
  std::map<std::string, locked::Bytes, std::less<>> values;
  for (auto& [key, value] : object.items()) {
    const auto refuse = [&, &label = key](const std::string& what) {
      throw Error(Code::pack_inputs, "secrets", fmt::format("secret {} {}", canon::printable(label, 64), what), name);
    };
    if (!value.is_string()) refuse("is not text");
    auto& secret = value.get_ref<std::string&>();
    if (secret.size() < kMinValue || secret.size() > kMaxValue)
      refuse(fmt::format("must have {} to {} bytes", kMinValue, kMaxValue));
    values.emplace(key, locked::Bytes::copy_of(secret));
    wipe(secret);  // the parser's copy
  }
  return std::make_unique<FileSource>(std::move(values));
}

}  // namespace stella::lease
