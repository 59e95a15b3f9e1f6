// SPDX-License-Identifier: Apache-2.0
// One step from its launch to the end of its tree: relays, answers, witnesses, captures, and keeps the time. Lives in
// the thread that called run(); whatever the observer throws ends the tree on its way out.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "appliance/sandbox/attempts.hpp"
#include "appliance/sandbox/blueprint.hpp"
#include "appliance/sandbox/name_server.hpp"
#include "appliance/sandbox/names.hpp"
#include "appliance/sandbox/namespaces.hpp"
#include "appliance/sandbox/program.hpp"
#include "appliance/sandbox/relay.hpp"
#include "appliance/sandbox/report.hpp"
#include "appliance/sandbox/step.hpp"
#include "appliance/sandbox/watch.hpp"

namespace stella::sandbox {

class Supervision {
 public:
  Supervision(const Spec& spec, const Blueprint& blueprint, Observer& observer, Child child);
  [[nodiscard]] Result watch_until_end();

 private:
  void receive_sockets();
  void read_reports();
  void read_stream(int fd, Stream stream);
  void read_witness();
  void see(const Packet& packet);
  [[nodiscard]] Answer decide(const Question& question, const Packet& from);
  void check_clock();
  void tell();
  void begin_end(End end);
  void drain();
  void wipe_secrets();
  [[nodiscard]] Result conclude();

  const Spec& spec_;
  const Blueprint& blueprint_;
  Observer& observer_;
  Child child_;
  Watch watch_;
  Names names_;
  Attempts attempts_;
  files::Fd witness_, secrets_;
  std::unique_ptr<Programs> programs_;
  std::unique_ptr<NameServer> name_server_;
  std::unique_ptr<Relay> relay_;
  Instant started_;
  std::optional<End> ending_;
  std::optional<Instant> kill_at_;
  std::optional<Report> failed_;
  std::optional<int> wait_status_;
  bool is_gone_ = false;
};

// Waits for the child's next report, at most 30 s (a mount that never answers). Throws ERR_SANDBOX_UNAVAILABLE for a
// child that failed or vanished.
[[nodiscard]] Received next_report(const Child& child);

}  // namespace stella::sandbox
