// SPDX-License-Identifier: Apache-2.0
#include "appliance/kit/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "appliance/journal/states.hpp"

namespace stella::kit {
namespace {

using canon::Json;
using fault::Code;

struct Course {
  Json submitted, started, ended, sealed, evidence;
};

Course course_of(const journal::Journal& journal, const journal::RunRow& row) {
  Course course;
  journal.for_each_event(row.id, 0, [&](const journal::Event& event) {
    const std::string at = clock::format_millis(event.at);
    if (event.type == "pack.run.submitted") course.submitted = at;
    if (event.attempt != row.attempt) return;
    if (event.type == "pack.run.started" && course.started.is_null()) course.started = at;
    if (journal::ends_run(event.type)) course.ended = at;
    if (event.type != "pack.evidence.sealed") return;
    course.sealed = at;
    course.evidence = {{"bag", event.data.value("bag", std::string())},
                       {"number", event.data.value("number", std::int64_t{0})},
                       {"list", event.data.value("list", std::string())}};
  });
  return course;
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

bool has_ended(const journal::RunRow& row) {
  return journal::is_final(row.state);
}

std::optional<Manifest> manifest_of(const journal::Journal& journal, const journal::RunRow& row,
                                    const std::string& appliance) {
  if (!has_ended(row)) return std::nullopt;
  const Course course = course_of(journal, row);
  if (course.evidence.is_null()) return std::nullopt;
  const std::string bag = course.evidence.at("bag"), list = course.evidence.at("list");
  return Manifest{
      .file = fmt::format("{}.{}.run.dsse.json", row.folder.substr(row.folder.rfind('/') + 1), row.attempt),
      .statement = {.subjects = {{"plan.json", canon::parse_digest(row.plan_hash, Code::journal_tampered, row.id)},
                                 {bag + "/SHA256SUMS", canon::parse_digest(list, Code::journal_tampered, row.id)}},
                    .predicate_type = std::string(kManifestType),
                    .predicate = {{"runId", row.id},
                                  {"tenant", row.tenant},
                                  {"attempt", row.attempt},
                                  {"pack", {{"name", row.pack}, {"version", row.version}, {"digest", row.pack_digest}}},
                                  {"planHash", row.plan_hash},
                                  {"state", row.state},
                                  {"code", text_or_null(row.code)},
                                  {"reason", text_or_null(row.reason)},
                                  {"requestedBy", row.requested_by},
                                  {"evidence", course.evidence},
                                  {"times",
                                   {{"submitted", course.submitted},
                                    {"started", course.started},
                                    {"ended", course.ended},
                                    {"sealed", course.sealed}}},
                                  {"appliance", appliance}}}};
}

}  // namespace stella::kit
