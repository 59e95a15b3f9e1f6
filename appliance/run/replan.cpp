// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/replan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/stat.h>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <set>

#include "appliance/pack/inputs.hpp"
#include "appliance/run/record.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

constexpr files::InputRule kSmall{
    .max_bytes = std::uint64_t{64} << 20, .empty = files::Empty::refuse, .links = files::Links::refuse};

std::string next_plan(const std::string& folder) {
  return folder + "/plan.next.json";
}
std::string next_policy(const std::string& folder) {
  return folder + "/policy.next.dsse.json";
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

void move_to(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) throw fault::system_error(errno, "moving", from);
}

}  // namespace

admission::Admitted admit_own(const files::Home& home, const journal::RunRow& row, const site::Policy* policy) {
  auto admitted = admission::admit(home, {.pack = std::nullopt, .bundle = bundle_of(row.folder)}, policy, row.tenant);
  if (admitted.pack.digest.tagged() != row.pack_digest)
    throw Error(Code::pack_hash_mismatch, "stored",
                fmt::format("bundle.pack of {} is not the pack that was submitted", row.id), row.id);
  return admitted;
}

plan::Plan plan_own(const journal::RunRow& row, const admission::Admitted& admitted, const site::Policy* policy) {
  const std::string given = files::read_input(inputs_of(row.folder), kSmall);
  const auto inputs =
      pack::reload_inputs(admitted.manifest, given, row.folder + "/inputs", admission::reader_of(admitted.pack));
  return plan::make({.manifest = admitted.manifest,
                     .pack_digest = admitted.pack.digest,
                     .inputs = inputs,
                     .policy = policy,
                     .tenant = row.tenant});
}

site::Applied policy_of_run(const journal::RunRow& row, const site::Applied& current) {
  const std::string text = files::read_input(policy_of(row.folder), kSmall);
  if (text == current.envelope_bytes) return current;
  try {
    const site::TrustRule admins{.admins = current.policy.admins.keys, .threshold = current.policy.admins.threshold};
    return site::verify_policy(text, policy_of(row.folder), admins, Code::site_signature);
  } catch (const Error&) {
    return current;
  }
}

plan::Plan stored_plan(const journal::RunRow& row) {
  const std::string bytes = files::read_input(plan_of(row.folder), kSmall);
  return plan::parse(bytes, Code::pack_hash_mismatch, plan_of(row.folder));
}

std::string difference(const plan::Plan& from, const plan::Plan& to) {
  if (from.hash == to.hash) return {};
  std::set<std::string> names, differing;
  for (const plan::Plan* one : {&from, &to}) {
    for (const auto& [name, value] : one->document.items()) names.insert(name);
  }
  for (const std::string& name : names) {
    if (from.document.value(name, canon::Json()) != to.document.value(name, canon::Json())) differing.insert(name);
  }
  return fmt::format("{}", fmt::join(differing, ", "));
}

void stage_plan(const journal::RunRow& row, const plan::Plan& plan, const site::Applied& policy) {
  const std::string& folder = row.folder;
  files::write_atomically(fmt::format("{}/plan.{}.json", folder, row.attempt),
                          files::read_input(plan_of(folder), kSmall), 0600);
  files::write_atomically(fmt::format("{}/policy.{}.dsse.json", folder, row.attempt),
                          files::read_input(policy_of(folder), kSmall), 0600);
  files::write_atomically(next_policy(folder), policy.envelope_bytes, 0600);
  files::write_atomically(next_plan(folder), plan.bytes, 0600);
}

void settle_plan(const journal::RunRow& row) {
  const std::string& folder = row.folder;
  if (!exists(next_plan(folder))) return;
  if (canon::sha256(files::read_input(next_plan(folder), kSmall)).tagged() != row.plan_hash) return;
  move_to(next_policy(folder), policy_of(folder));
  move_to(next_plan(folder), plan_of(folder));
  files::sync_folder(folder);
}

}  // namespace stella::run
