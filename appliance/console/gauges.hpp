// SPDX-License-Identifier: Apache-2.0
// The home's metrics for GET /metrics, shared by all workers. Any thread: one at a time.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "appliance/telemetry/metrics.hpp"

namespace stella::console {

class Gauges {
 public:
  explicit Gauges(const files::Home& home) : home_(home) {}
  // The text format, at most a second old: however many ask, the journal is read once a second.
  [[nodiscard]] std::string text(clock::Time now);
  // The same without the metrics about this process. Errors of files::write_atomically.
  void write_textfile(const std::string& path, clock::Time now);

 private:
  [[nodiscard]] std::string read(telemetry::Place place, clock::Time now);
  files::Home home_;
  std::mutex one_at_a_time_;
  std::optional<telemetry::Metrics> metrics_;  // opened at first use, and anew after an error
  std::string text_;
  clock::Time made_{};
};

}  // namespace stella::console
