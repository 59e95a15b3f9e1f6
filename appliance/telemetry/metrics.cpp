// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/metrics.hpp"

#include <iterator>

#include "appliance/telemetry/surroundings.hpp"
#include "bundles/files/write.hpp"

namespace stella::telemetry {

Metrics::Metrics(const files::Home& home)
    : home_(home), journal_(std::make_unique<journal::Journal>(journal::Journal::open(home))), meter_(*journal_) {}

std::vector<Family> Metrics::families(clock::Time now, Place place) {
  meter_.catch_up();
  std::vector<Family> all = meter_.families(now);
  const auto add = [&](std::vector<Family> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  add(home_families(home_, now));
  all.push_back(build_family());
  if (place == Place::process) add(process_families());
  return all;
}

std::string Metrics::text(clock::Time now, Place place) {
  return write_text(families(now, place));
}

void write_textfile(const std::string& path, std::string_view text) {
  files::write_atomically(path, text, 0644);
}

}  // namespace stella::telemetry
