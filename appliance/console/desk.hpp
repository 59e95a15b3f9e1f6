// SPDX-License-Identifier: Apache-2.0
// Where an answer is made: what all workers share (Office) and what one worker has for itself (Desk, a Journal belongs
// to one thread).
#pragma once

#include <optional>
#include <string>

#include "appliance/access/session.hpp"
#include "appliance/access/store.hpp"
#include "appliance/console/gauges.hpp"
#include "appliance/http/address.hpp"
#include "appliance/journal/journal.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::console {

struct Visit;

struct Office {
  files::Home home;
  const clock::Clock* clock;
  http::Address address;
  access::Keyring keyring;
  access::Sessions sessions;
  Gauges gauges;

  Office(const files::Home& home_, const clock::Clock& clock_, http::Address address_)
      : home(home_), clock(&clock_), address(std::move(address_)), keyring(home_), sessions(home_), gauges(home_) {}
};

class Desk {
 public:
  explicit Desk(Office& office) : office_(&office) {}
  [[nodiscard]] Office& office() noexcept { return *office_; }
  [[nodiscard]] const files::Home& home() const noexcept { return office_->home; }
  // Opened at first use; opened anew after drop_journal.
  [[nodiscard]] journal::Journal& journal();
  void drop_journal() noexcept { journal_.reset(); }
  // The run of the path's {id}, if the visitor may see it. ERR_RUN_NOT_FOUND, the same for both.
  [[nodiscard]] journal::RunRow run_of(const Visit& visit);

 private:
  Office* office_;
  std::optional<journal::Journal> journal_;
};

}  // namespace stella::console
