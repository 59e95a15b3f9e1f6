// SPDX-License-Identifier: Apache-2.0
// Every metric that stella publishes: its name, kind, labels and meaning. The exposition, `stella explain --metrics`
// and docs/operations/observability/metrics.md are made from this one table. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stella::telemetry {

enum class Kind { gauge, counter, histogram };
// process: about the serving process; left out of textfiles, where it would be taken for the exporter's own.
enum class Place { everywhere, process };

struct Metric {
  std::string_view name;
  Kind kind = Kind::gauge;
  std::vector<std::string_view> labels = {};
  std::string_view help = {};  // one line, without a newline
  Place place = Place::everywhere;
};

[[nodiscard]] const std::vector<Metric>& catalogue();
[[nodiscard]] const Metric& metric(std::string_view name);  // ERR_INTERNAL for a name that is not in the catalogue
[[nodiscard]] std::string_view name_of(Kind kind) noexcept;
[[nodiscard]] std::string metrics_page();  // docs/operations/observability/metrics.md

}  // namespace stella::telemetry
