// SPDX-License-Identifier: Apache-2.0
// Samples of the catalogue's metrics, written in the Prometheus text format. Any thread.
//
// Source: Prometheus exposition formats, text format 0.0.4. Label values: invalid UTF-8 and control characters as
// canon::printable writes them, at most 100 bytes of each, then \ " and newline escaped.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "appliance/telemetry/catalogue.hpp"
#include "appliance/telemetry/histogram.hpp"
#include "bundles/canon/json.hpp"

namespace stella::telemetry {

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

struct Sample {
  std::string suffix;               // of a histogram: _bucket, _sum, _count
  std::vector<std::string> labels;  // values, in the order of the metric's labels; `le` after them
  double value = 0;
};

class Family {
 public:
  explicit Family(std::string_view name) : metric_(&metric(name)) {}  // ERR_INTERNAL when the catalogue has no such
  void add(std::vector<std::string> labels, double value);
  void add(const std::vector<std::string>& labels, const Histogram& seconds);
  [[nodiscard]] const Metric& about() const noexcept { return *metric_; }
  [[nodiscard]] const std::vector<Sample>& samples() const noexcept { return samples_; }

 private:
  const Metric* metric_;
  std::vector<Sample> samples_;
};

[[nodiscard]] Family single(std::string_view name, double value);  // of a metric without labels
[[nodiscard]] std::string write_text(std::span<const Family> families);
[[nodiscard]] canon::Json to_json(std::span<const Family> families);
[[nodiscard]] std::string escape_label(std::string_view value);
[[nodiscard]] std::string escape_help(std::string_view text);

}  // namespace stella::telemetry
