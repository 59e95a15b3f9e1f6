// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/totals.hpp"

#include <algorithm>

#include "appliance/telemetry/reading.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::telemetry {
namespace {

using canon::Json;
using fault::Code;

constexpr std::int64_t kMax = std::int64_t{1} << 53;

// The entry of `name`, or of `other` when there are too many.
template <class Value>
Value& named(std::map<std::string, Value>& all, const std::string& name, clock::Time at) {
  const bool is_full = all.size() >= kMaxNames && !all.contains(name);
  Value& value = all[is_full ? std::string(kOther) : name];
  if (at != clock::Time{} && (value.first == clock::Time{} || at < value.first)) value.first = at;
  return value;
}

std::int64_t millis(clock::Time time) {
  return time.time_since_epoch().count();
}
clock::Time time_of(canon::Fields& fields) {
  return clock::Time(clock::Duration(fields.integer("first", 0, kMax)));
}

Json json_of(const Counts& counts) {
  return {{"first", millis(counts.first)},
          {"ended", counts.ended},
          {"retries", counts.retries},
          {"blocked", counts.blocked},
          {"chaos", counts.chaos}};
}

Counts counts_of(const Json& object) {
  canon::Fields fields(object, Code::journal_tampered, "totals", "totals");
  Counts counts;
  counts.first = time_of(fields);
  const Json& ended = fields.array("ended", counts.ended.size());
  if (ended.size() != counts.ended.size()) fields.fail("has another length", "ended");
  for (std::size_t i = 0; i < ended.size(); ++i) {
    if (!ended[i].is_number_integer() || ended[i] < 0 || ended[i] > kMax) fields.fail("is no count", "ended");
    counts.ended[i] = ended[i].get<std::int64_t>();
  }
  counts.retries = fields.integer("retries", 0, kMax);
  counts.blocked = fields.integer("blocked", 0, kMax);
  counts.chaos = fields.integer("chaos", 0, kMax);
  fields.finish();
  return counts;
}

void add_counts(Counts& to, const Counts& from) {
  for (std::size_t i = 0; i < to.ended.size(); ++i) to.ended[i] += from.ended[i];
  to.retries += from.retries;
  to.blocked += from.blocked;
  to.chaos += from.chaos;
}

}  // namespace

Histogram& Totals::step(const std::string& type) {
  return steps.try_emplace(type, step_bounds()).first->second;
}
Waits& Totals::gate(const std::string& name, clock::Time at) {
  return named(gates, name, at);
}
Counts& Totals::tenant(const std::string& name, clock::Time at) {
  return named(tenants, name, at);
}

void Totals::add(const Totals& other) {
  for (const auto& [type, seconds] : other.steps) step(type).add(seconds);
  for (const auto& [name, waits] : other.gates) gate(name, waits.first).waited.add(waits.waited);
  for (const auto& [name, counts] : other.tenants) add_counts(tenant(name, counts.first), counts);
}

Json Totals::to_json() const {
  Json object = {{"v", 1}, {"steps", Json::object()}, {"gates", Json::object()}, {"tenants", Json::object()}};
  for (const auto& [type, seconds] : steps) object["steps"][type] = seconds.to_json();
  for (const auto& [name, waits] : gates)
    object["gates"][name] = {{"first", millis(waits.first)}, {"waited", waits.waited.to_json()}};
  for (const auto& [name, counts] : tenants) object["tenants"][name] = json_of(counts);
  return object;
}

Totals Totals::from_json(const Json& object) {
  canon::Fields fields(object, Code::journal_tampered, "totals", "totals");
  (void)fields.integer("v", 1, 1);
  Totals made;
  for (const auto& [type, seconds] : fields.object("steps").items())
    made.steps.insert_or_assign(is_step_type(type) ? type : std::string(kOther),
                                Histogram::from_json(seconds, step_bounds()));
  for (const auto& [name, waits] : fields.object("gates").items()) {
    canon::Fields of_gate(waits, Code::journal_tampered, "totals", "totals");
    Waits& gate = made.gate(name, time_of(of_gate));
    gate.waited = Histogram::from_json(of_gate.object("waited"), gate_bounds());
    of_gate.finish();
  }
  for (const auto& [name, counts] : fields.object("tenants").items()) {
    const Counts read = counts_of(counts);
    add_counts(made.tenant(name, read.first), read);
  }
  fields.finish();
  return made;
}

Json totals_of(const journal::Journal& journal, const journal::RunRow& run) {
  Totals totals;
  Reading reading{.tenant = run.tenant};
  journal.for_each_event(run.id, 0, [&](const journal::Event& event) { take(reading, event, totals); });
  return totals.to_json();
}

}  // namespace stella::telemetry
