// SPDX-License-Identifier: Apache-2.0
// Where an answer is made: what all workers share (Office) and what one worker has for itself (Desk, a Journal belongs
// to one thread).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "appliance/access/session.hpp"
#include "appliance/access/store.hpp"
#include "appliance/console/gauges.hpp"
#include "appliance/console/renderings.hpp"
#include "appliance/console/run_list.hpp"
#include "appliance/http/address.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/stream/hub.hpp"
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
  Renderings renderings{};
  stream::Hub hub;

  Office(const files::Home& home_, const clock::Clock& clock_, http::Address address_);
  Office(const Office&) = delete;
};

class Desk {
 public:
  explicit Desk(Office& office) : office_(&office) {}
  [[nodiscard]] Office& office() noexcept { return *office_; }
  [[nodiscard]] const files::Home& home() const noexcept { return office_->home; }
  // Opened at first use; opened anew after drop_journal.
  [[nodiscard]] journal::Journal& journal();
  void drop_journal() noexcept {
    journal_.reset();
    lists_.clear();
  }
  // The first page of the runs that fit, as GET /api/runs answers (run_list.hpp). Keeps the last few.
  [[nodiscard]] const std::string& first_page(const journal::Journal::Filter& filter, std::size_t limit);
  // What is made of one run, shared by all who ask for the same: `key` says what, and who sees it. It is made anew
  // after anything was recorded about the run, its log has grown or another policy was applied; while the run moves,
  // once a second in any case.
  [[nodiscard]] std::string rendering_of(const journal::RunRow& row, const std::string& key,
                                         const std::function<std::string()>& make);
  // The run of the path's {id}, if the visitor may see it. ERR_RUN_NOT_FOUND, the same for both.
  [[nodiscard]] journal::RunRow run_of(const Visit& visit);

 private:
  Office* office_;
  std::optional<journal::Journal> journal_;
  std::list<std::pair<std::string, RunList>> lists_;  // by what was asked; the last used first
};

}  // namespace stella::console
