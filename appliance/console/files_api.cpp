// SPDX-License-Identifier: Apache-2.0
// What a run left: its artifacts, its evidence, its plan. Files are sent as they are, to be saved and never shown.
#include <fmt/format.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/bag_tar.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/console/run_files.hpp"
#include "appliance/plan/diff.hpp"
#include "appliance/run/summary.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::size_t kMaxListed = 10000;
constexpr std::uint64_t kMaxPlan = 256 << 20;

std::string kind_name(files::Kind kind) {
  return kind == files::Kind::file     ? "file"
         : kind == files::Kind::folder ? "folder"
         : kind == files::Kind::link   ? "link"
                                       : "other";
}

http::Response artifacts(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  if (const auto path = visit.query("path")) return send_artifact(row, *path);
  const files::Listing listing = files::list_hostile_tree(row.folder + "/artifacts", kMaxListed);
  Json list = Json::array();
  for (const auto& entry : listing.entries)
    list.push_back({{"path", entry.path}, {"type", kind_name(entry.kind)}, {"size", entry.size_bytes}});
  return json_response({{"artifacts", std::move(list)}, {"unlisted", listing.unlisted.size()}});
}

http::Response evidence(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  std::string bag;  // the newest attempt's
  desk.journal().for_each_event(row.id, 0, [&](const journal::Event& event) {
    if (event.type == "pack.evidence.sealed") bag = event.data.value("bag", "");
  });
  const std::string folder = row.folder + "/evidence/" + bag;
  if (bag.empty())
    throw Error(Code::file_not_found, "evidence", "this run has no sealed evidence yet", row.id,
                "Evidence is sealed when an attempt ends.");
  if (const auto path = visit.query("path")) return send_beneath(folder, *path);
  if (const auto form = visit.query("download")) {
    if (*form == "tar") return bag_as_tar(folder);
    throw Error(Code::usage, "download", "evidence is downloaded as tar", "download", "download=tar");
  }
  const std::string list =
      files::read_input(folder + "/SHA256SUMS", {kMaxPlan, files::Empty::refuse, files::Links::refuse});
  Json lines = Json::array();
  for (std::string_view rest = list; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.size() > 66 && lines.size() < kMaxListed)
      lines.push_back({{"sha256", line.substr(0, 64)}, {"path", line.substr(66)}});
  }
  const Json verify = {
      "sha256sum -c --strict SHA256SUMS",
      "ssh-keygen -Y verify -f allowed_signers -I APPLIANCE-ID -n stella-evidence -s SHA256SUMS.sshsig < SHA256SUMS",
      fmt::format("stella evidence verify {} --trust ADMIN.pub", bag)};
  return json_response({{"bag", bag},
                        {"listDigest", canon::sha256(list).tagged()},
                        {"files", std::move(lines)},
                        {"verify", verify},
                        {"export", fmt::format("stella pack runs export --run {} --media /media/DISK", row.id)}});
}

Json plan_of(const journal::RunRow& row) {
  return canon::parse_json(plan_text(row), Code::journal_tampered, row.id, kMaxPlan, canon::kMaxPlanValues);
}

// The hashed bytes themselves.
http::Response plan(Desk& desk, const Visit& visit) {
  http::Response response;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = plan_text(desk.run_of(visit));
  return response;
}

// The run to compare with: the one that is named, else the last one of this pack before it that succeeded.
journal::RunRow other_run(Desk& desk, const Visit& visit, const journal::RunRow& row) {
  if (const auto named = visit.query("against")) {
    Visit other = visit;
    other.params["id"] = *named;
    return desk.run_of(other);
  }
  journal::Journal::Filter filter{.tenant = row.tenant, .state = "succeeded", .pack = row.pack};
  for (auto& one : desk.journal().list(filter)) {
    if (one.created < row.created && one.id != row.id) return one;
  }
  throw Error(Code::run_not_found, "against", "no earlier run of this pack succeeded", row.id,
              "Name one with against=RUN.");
}

http::Response plan_diff(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit), other = other_run(desk, visit, row);
  Json changes = Json::array();
  for (const auto& change : plan::diff(plan_of(other), plan_of(row))) {
    Json object = {{"place", change.place}};
    if (change.before) object["before"] = *change.before;
    if (change.after) object["after"] = *change.after;
    changes.push_back(std::move(object));
  }
  return json_response({{"from", {{"runId", other.id}, {"planHash", other.plan_hash}}},
                        {"to", {{"runId", row.id}, {"planHash", row.plan_hash}}},
                        {"changes", std::move(changes)}});
}

}  // namespace

void add_file_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/artifacts", .act = artifacts});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/evidence", .act = evidence});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/plan", .act = plan});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/plan/diff", .act = plan_diff});
}

}  // namespace stella::console
