// SPDX-License-Identifier: Apache-2.0
// All metrics of a home, for GET /metrics and for textfiles. Opens the journal by itself; one thread.
#pragma once

#include <memory>
#include <string>

#include "appliance/telemetry/meter.hpp"
#include "bundles/files/home.hpp"

namespace stella::telemetry {

class Metrics {
 public:
  explicit Metrics(const files::Home& home);  // errors: those of Journal::open
  // The first call reads the whole journal, later ones what is new. ERR_JOURNAL_TAMPERED when it cannot be read.
  // process: with the metrics about this process, as a server gives them.
  [[nodiscard]] std::vector<Family> families(clock::Time now, Place place);
  [[nodiscard]] std::string text(clock::Time now, Place place);  // the Prometheus text format

 private:
  files::Home home_;
  std::unique_ptr<journal::Journal> journal_;
  Meter meter_;
};

// The text as a file for node_exporter's textfile collector: mode 0644, old or new at any instant.
void write_textfile(const std::string& path, std::string_view text);

}  // namespace stella::telemetry
