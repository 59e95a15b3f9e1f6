// SPDX-License-Identifier: Apache-2.0
// How things stand at one moment: the sums and what every run's reading says, as metrics. One thread.
//
// The kMaxSeries names that were seen first have series of their own, all others are added up as `other`: which ones
// those are depends on the journal only, not on when somebody looked.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "appliance/telemetry/exposition.hpp"
#include "appliance/telemetry/reading.hpp"

namespace stella::telemetry {

class Standing {
 public:
  Standing(const Totals& totals, clock::Time now);  // the totals outlive it
  void take(const Reading& reading);
  [[nodiscard]] std::vector<Family> families() const;

 private:
  struct OfTenant {
    std::map<std::string, std::int64_t> states{};  // contract section 13's
    std::int64_t active = 0, unexported = 0, unsealed = 0, succeeded = 0, failed = 0;
    clock::Duration oldest_unexported{};
    std::map<std::string, clock::Duration> waiting{};  // by gate: the longest
  };
  [[nodiscard]] std::string tenant_label(const std::string& name) const;
  [[nodiscard]] std::string gate_label(const std::string& name) const;
  void add_tenants(std::vector<Family>& all) const;
  void add_sums(std::vector<Family>& all) const;
  void take_ended(const Reading& reading, OfTenant& tenant) const;

  const Totals* totals_;
  clock::Time now_;
  std::set<std::string> tenant_names_, gate_names_;
  std::map<std::string, OfTenant> tenants_;
};

}  // namespace stella::telemetry
