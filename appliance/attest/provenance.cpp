// SPDX-License-Identifier: Apache-2.0
#include "appliance/attest/provenance.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "bundles/canon/digest.hpp"
#include "bundles/files/read.hpp"

namespace stella::attest {
namespace {

constexpr std::uint64_t kMaxHostFile = std::uint64_t{256} << 20;

// null where a host has no such file: the attestation then says so instead of guessing.
canon::Json digest_of(const std::string& path) {
  try {
    canon::Sha256 hash;
    files::stream_input(files::open_input(path, {kMaxHostFile}), path, kMaxHostFile,
                        [&](std::string_view block) { hash.update(block); });
    return hash.finish().tagged();
  } catch (const fault::Error&) {
    return nullptr;
  }
}

canon::Json os_release() {
  try {
    const std::string text = files::read_input("/etc/os-release", {65536});
    for (std::size_t from = 0; from < text.size();) {
      const auto end = std::min(text.find('\n', from), text.size());
      const std::string line = text.substr(from, end - from);
      if (line.starts_with("PRETTY_NAME=")) return line.substr(13, line.size() - 14);
      from = end + 1;
    }
  } catch (const fault::Error&) {  // a host without one
  }
  return nullptr;
}

canon::Json listed(const std::map<std::string, canon::Digest>& files) {
  canon::Json rows = canon::Json::array();
  for (const auto& [path, digest] : files) rows.push_back({{"name", path}, {"digest", {{"sha256", digest.hex()}}}});
  return rows;
}

canon::Json definition(const Facts& facts) {
  canon::Json dependencies = canon::Json::array();
  dependencies.push_back({{"name", facts.pack.name_version()}, {"digest", {{"sha256", facts.pack.digest.hex()}}}});
  dependencies.push_back({{"name", "site-policy"}, {"digest", {{"sha256", facts.planned_under.policy.digest.hex()}}}});
  if (facts.plan.runtime)
    dependencies.push_back(
        {{"name", "image:" + facts.plan.runtime->name}, {"digest", {{"sha256", facts.plan.runtime->digest.hex()}}}});
  return {{"buildType", "urn:stella:pack-run:v1"},
          {"externalParameters", {{"pack", facts.pack.name_version()}, {"inputs", facts.plan.document.at("inputs")}}},
          {"internalParameters", {{"tenant", facts.row.tenant}, {"planHash", facts.plan.hash_text()}}},
          {"resolvedDependencies", dependencies}};
}

}  // namespace

dsse::Statement provenance(const Facts& facts, const Products& products) {
  std::vector<dsse::Subject> subjects{{"plan.json", facts.plan.hash}};
  for (const auto& [path, digest] : products.artifacts) subjects.push_back({path, digest});
  const journal::Event& last = facts.events.back();
  const auto& policy = facts.planned_under.policy;
  const canon::Json ours{{"state", facts.row.state},
                         {"code", facts.row.code},
                         {"attempt", facts.row.attempt},
                         {"tenant", facts.row.tenant},
                         {"requestedBy", facts.row.requested_by},
                         {"journal", {{"seq", last.seq}, {"head", canon::sha256(last.line).hex()}}},
                         {"policy", {{"version", policy.version}, {"digest", policy.digest.tagged()}}},
                         {"host",
                          {{"osRelease", os_release()},
                           {"packages", digest_of("/var/lib/dpkg/status")},
                           {"stella", digest_of("/proc/self/exe")}}}};
  const canon::Json details{{"builder", {{"id", fmt::format("urn:stella:appliance:{}", policy.site)}}},
                            {"metadata",
                             {{"invocationId", facts.row.id},
                              {"startedOn", clock::format(facts.events.front().at)},
                              {"finishedOn", clock::format(last.at)}}},
                            {"byproducts", listed(products.logs)},
                            {"stella", ours}};
  return {
      subjects, "https://slsa.dev/provenance/v1", {{"buildDefinition", definition(facts)}, {"runDetails", details}}};
}

}  // namespace stella::attest
