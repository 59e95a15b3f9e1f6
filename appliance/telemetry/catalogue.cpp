// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "appliance/telemetry/histogram.hpp"
#include "bundles/fault/error.hpp"

namespace stella::telemetry {
namespace {

std::vector<Metric> runs() {
  return {
      {"pack_run_active", Kind::gauge, {"tenant"}, "Runs that have not ended: planned, running, waiting or paused."},
      {"pack_runs", Kind::gauge, {"tenant", "state"}, "Runs that the journal holds, by their state."},
      {"pack_run_success_ratio",
       Kind::gauge,
       {"tenant"},
       "Of the runs whose last end was in the past 7 days, the share that succeeded; failed and expired ones count "
       "against it, cancelled ones do not count. No sample where none ended."},
      {"pack_run_ended_total", Kind::counter, {"tenant", "state"}, "Ends of runs, one for each attempt that ended."},
      {"pack_step_duration_seconds",
       Kind::histogram,
       {"step_type"},
       "From a step's start to its end, one observation for each try; groups (parallel, map, loop, conditional) from "
       "their first step to their last."},
      {"pack_step_retries_total", Kind::counter, {"tenant"}, "Tries of steps beyond the first."},
      {"pack_gate_wait_seconds",
       Kind::histogram,
       {"gate"},
       "How long decided gates had waited: until they were approved, rejected or ran out."},
      {"pack_gate_waiting_seconds",
       Kind::gauge,
       {"tenant", "gate"},
       "How long the gate that waits longest now has waited. No sample where none waits."},
      {"pack_network_blocked_total",
       Kind::counter,
       {"tenant"},
       "Network attempts of steps that the policy did not allow."},
      {"pack_chaos_injected_total", Kind::counter, {"tenant"}, "Chaos hooks that were injected."},
  };
}

std::vector<Metric> home() {
  return {
      {"stella_evidence_unexported", Kind::gauge, {"tenant"}, "Ended runs whose sealed evidence was never exported."},
      {"stella_evidence_unexported_seconds",
       Kind::gauge,
       {"tenant"},
       "Since the end of the oldest run whose evidence was never exported; 0 when there is none."},
      {"stella_evidence_unsealed", Kind::gauge, {"tenant"}, "Ended runs whose evidence could not be sealed yet."},
      {"stella_mirror_generation", Kind::gauge, {}, "The generation of packs that the mirror holds; 0: none."},
      {"stella_mirror_age_seconds", Kind::gauge, {}, "Since the mirror's generation was issued."},
      {"stella_mirror_warn_age_seconds", Kind::gauge, {}, "The site policy's mirror.warnAge."},
      {"stella_mirror_max_age_seconds", Kind::gauge, {}, "The site policy's mirror.maxAge."},
      {"stella_disk_size_bytes", Kind::gauge, {}, "Size of the file system that holds the runs."},
      {"stella_disk_free_bytes", Kind::gauge, {}, "What of it an ordinary process may still write."},
      {"stella_disk_reserve_bytes",
       Kind::gauge,
       {},
       "Space held back for the journal on a full disk; 0: it has been used."},
      {"stella_disk_reserve_wanted_bytes", Kind::gauge, {}, "How much is held back where there is room."},
      {"stella_part_readable",
       Kind::gauge,
       {"part"},
       "1: this part of the home (policy, mirror, disk) could be read; 0: its metrics are missing."},
      {"stella_build_info", Kind::gauge, {"version"}, "Always 1; its label is stella's version."},
  };
}

std::vector<Metric> process() {
  const auto of = [](std::string_view name, Kind kind, std::string_view help) {
    return Metric{name, kind, {}, help, Place::process};
  };
  return {
      of("process_start_time_seconds", Kind::gauge, "When the serving process started, in seconds since 1970."),
      of("process_cpu_seconds_total", Kind::counter, "CPU time of the serving process, user and system."),
      of("process_resident_memory_bytes", Kind::gauge, "Resident memory of the serving process."),
      of("process_virtual_memory_bytes", Kind::gauge, "Virtual memory of the serving process."),
      of("process_open_fds", Kind::gauge, "Open file descriptors of the serving process."),
      of("process_max_fds", Kind::gauge, "How many file descriptors it may open."),
  };
}

std::string buckets_text(std::span<const std::int64_t> bounds_ms) {
  std::vector<std::string> all;
  for (const std::int64_t bound : bounds_ms) all.push_back(fmt::format("{}", static_cast<double>(bound) / 1000));
  return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

const std::vector<Metric>& catalogue() {
  static const std::vector<Metric> kAll = [] {
    std::vector<Metric> all = runs();
    for (const auto& part : {home(), process()}) all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kAll;
}

const Metric& metric(std::string_view name) {
  const auto& all = catalogue();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Metric& one) { return one.name == name; });
  if (found == all.end())
    throw fault::Error(fault::Code::internal, "metric", fmt::format("{} is not in the catalogue of metrics", name));
  return *found;
}

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::gauge:
      return "gauge";
    case Kind::counter:
      return "counter";
    case Kind::histogram:
      return "histogram";
  }
  return "untyped";
}

std::string metrics_page() {
  std::string page =
      "# Metrics\n\nGenerated by `stella explain --metrics --markdown`; a test compares the two. What they are good "
      "for: "
      "[README.md](README.md).\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n";
  for (const Metric& one : catalogue()) {
    std::vector<std::string> labels;
    for (const std::string_view label : one.labels) labels.push_back(fmt::format("`{}`", label));
    page += fmt::format("| `{}` | {} | {} | {}{} |\n", one.name, name_of(one.kind), fmt::join(labels, " "), one.help,
                        one.place == Place::process ? " Not in textfiles." : "");
  }
  page += fmt::format("\nBuckets, in seconds: `pack_step_duration_seconds` {}; `pack_gate_wait_seconds` {}.\n",
                      buckets_text(step_bounds()), buckets_text(gate_bounds()));
  return page;
}

}  // namespace stella::telemetry
