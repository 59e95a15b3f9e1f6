// SPDX-License-Identifier: Apache-2.0
// metrics: what monitoring reads, computed from the journal, without a server.
#include <fmt/format.h>

#include "appliance/cli/command.hpp"
#include "appliance/telemetry/metrics.hpp"

namespace stella::cli {
namespace {

int print_metrics(Invocation& call) {
  telemetry::Metrics metrics(call.home());
  const auto families = metrics.families(call.clock().now(), telemetry::Place::everywhere);
  const auto out = call.value("--out");
  if (out) {
    telemetry::write_textfile(*out, telemetry::write_text(families));
    call.out().say(fmt::format("{} metrics in {}", families.size(), *out));
  } else if (call.out().is_table()) {
    call.out().raw(telemetry::write_text(families));
  }
  call.out().result(out ? canon::Json{{"file", *out}, {"families", families.size()}}
                        : canon::Json{{"metrics", telemetry::to_json(families)}});
  return 0;
}

}  // namespace

std::vector<Command> metrics_commands() {
  return {{{"metrics"},
           "the home's metrics in the Prometheus text format",
           "stella metrics --out /var/lib/prometheus/node-exporter/stella.prom",
           {},
           {{"--out", "FILE", "write them there for node_exporter, whole or not at all", false, false, false}},
           print_metrics}};
}

}  // namespace stella::cli
