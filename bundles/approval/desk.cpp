// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/desk.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "bundles/approval/ledger.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::approval {
namespace {

using canon::Json;

constexpr auto kRollback = fault::Code::approval_rollback;
constexpr auto kOwn = fault::Code::file_unsuitable;  // our own memory, damaged
constexpr std::size_t kRemembered = 500;  // requests per ledger: one may be signed after a later one was read

// Names come from others; their digest is a safe file name of one length.
std::string path_of(const files::Home& home, const std::string& kind, const std::string& name) {
  return home.seen() + "/" + kind + "-" + canon::sha256(name).hex().substr(0, 32) + ".json";
}

std::string policy_path(const files::Home& home, const Request& request) {
  return path_of(home, "site", request.pinned.site);
}
std::string ledger_path(const files::Home& home, const Request& request) {
  return path_of(home, "ledger", ledger_origin(request.asked.appliance, request.asked.tenant));
}

std::optional<Json> load(const std::string& path) {
  if (!std::filesystem::exists(std::filesystem::symlink_status(path))) return std::nullopt;
  return canon::parse_json(files::read_input(path, {65536, files::Empty::refuse, files::Links::refuse}), kOwn, path);
}

void require_policy(const std::string& path, const Request& request) {
  const auto seen = load(path);
  if (!seen) return;
  canon::Fields fields(*seen, kOwn, "seen", path);
  const std::int64_t version = fields.integer("version", 1, std::int64_t{1} << 53);
  const canon::Digest digest = canon::parse_digest(fields.text("digest"), kOwn, path);
  if (request.asked.policy_version < version)
    throw fault::Error(kRollback, "policy",
                       fmt::format("the request carries policy version {}, this desk has seen version {} of site {}",
                                   request.asked.policy_version, version, canon::printable(request.pinned.site)),
                       request.parcel.name);
  if (request.asked.policy_version == version && request.asked.policy_digest != digest)
    throw fault::Error(kRollback, "policy",
                       fmt::format("there are two different policies of version {} of site {}", version,
                                   canon::printable(request.pinned.site)),
                       request.parcel.name);
}

void require_ledger(const std::string& path, const Request& request) {
  const auto seen = load(path);
  if (!seen) return;
  canon::Fields fields(*seen, kOwn, "seen", path);
  const std::int64_t size = fields.integer("size", 0, std::int64_t{1} << 53);
  const canon::Digest root = canon::parse_digest(fields.text("root"), kOwn, path);
  const auto& leaves = request.parcel.leaves;
  for (const std::string& known : fields.texts("requests"))
    if (known == request.payload_digest.tagged()) return;  // this very request was here before a later one
  if (static_cast<std::int64_t>(leaves.size()) < size)
    throw fault::Error(kRollback, "ledger",
                       fmt::format("the ledger of {} had {} entries at your last visit and has {} now",
                                   canon::printable(request.asked.appliance), size, leaves.size()),
                       request.parcel.name);
  if (canon::merkle_root(std::span(leaves).first(static_cast<std::size_t>(size))) != root)
    throw fault::Error(kRollback, "ledger",
                       fmt::format("the first {} entries of the ledger of {} are not the ones of your last visit", size,
                                   canon::printable(request.asked.appliance)),
                       request.parcel.name);
}

}  // namespace

void require_not_older(const files::Home& home, const Request& request) {
  require_policy(policy_path(home, request), request);
  require_ledger(ledger_path(home, request), request);
}

void remember(const files::Home& home, const Request& request) {
  files::make_folders(home.seen());
  const Asked& asked = request.asked;
  const std::string ledger = ledger_path(home, request);
  std::int64_t size = asked.ledger_size;
  canon::Digest root = asked.ledger_root;
  std::vector<std::string> requests;
  if (const auto seen = load(ledger)) {
    canon::Fields fields(*seen, kOwn, "seen", ledger);
    requests = fields.texts("requests");
    if (fields.integer("size", 0, std::int64_t{1} << 53) > size) {
      size = fields.integer("size", 0, std::int64_t{1} << 53);
      root = canon::parse_digest(fields.text("root"), kOwn, ledger);
    }
  }
  std::erase(requests, request.payload_digest.tagged());
  requests.push_back(request.payload_digest.tagged());
  if (requests.size() > kRemembered) requests.erase(requests.begin());
  files::write_atomically(
      policy_path(home, request),
      canon::pretty(
          {{"site", request.pinned.site}, {"version", asked.policy_version}, {"digest", asked.policy_digest.tagged()}}),
      0600);
  files::write_atomically(ledger,
                          canon::pretty({{"origin", ledger_origin(asked.appliance, asked.tenant)},
                                         {"size", size},
                                         {"root", root.tagged()},
                                         {"requests", requests}}),
                          0600);
}

}  // namespace stella::approval
