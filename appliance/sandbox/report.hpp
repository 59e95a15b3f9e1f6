// SPDX-License-Identifier: Apache-2.0
// What the child says to its parent over their socket pair, and how it gives up. Between clone and exec nothing throws,
// allocates or locks (the runner has threads): a failed call is a Report with its stage and errno, and the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bundles/files/fd.hpp"

namespace stella::sandbox {

// One per thing that can fail, in the order in which they are done.
enum class Stage : std::uint8_t {
  clone,
  maps,
  hand_over,
  link,
  listener,
  name_server,
  witness,
  sources,
  root,
  etc,
  devices,
  scratch,
  proc,
  sysctl,
  folders,
  secrets,
  pivot,
  limits,
  privileges,
  filter,
  fork_step,
  exec,
};
[[nodiscard]] const char* name_of(Stage stage) noexcept;

struct Report {
  enum class Kind : std::uint8_t { listeners, ready, failed, ended };
  Kind kind;
  Stage stage;
  std::int32_t error;        // errno, for failed
  std::int32_t wait_status;  // as waitpid gives it, for ended
};

// What the parent says: `go` carries the mounts prepared for a privileged run, `terminate` asks for SIGTERM to the
// step.
enum class Order : std::uint8_t { go, terminate };

inline constexpr std::size_t kMaxPassed = 64;

// Async-signal-safe. false with errno.
[[nodiscard]] bool send_report(int socket, const Report& report, std::span<const int> fds = {}) noexcept;
[[noreturn]] void give_up(int socket, Stage stage, int error) noexcept;
// Ends the child with a report when `ok` is false.
inline void need(bool ok, int socket, Stage stage) noexcept {
  if (!ok) give_up(socket, stage, *__errno_location());
}
// The child waits for an order; returns the number of descriptors received, -1 when the parent is gone.
[[nodiscard]] int receive_order(int socket, Order& order, std::span<int> fds) noexcept;

// The parent's side; throws internal when the socket breaks in another way than by its end.
[[nodiscard]] bool send_order(int socket, Order order, std::span<const int> fds = {}) noexcept;
struct Received {
  Report report;
  std::vector<files::Fd> fds;
};
// false: the child is gone, or there is nothing to read now.
enum class Wait { yes, no };
[[nodiscard]] bool receive_report(int socket, Received& received, Wait wait);

}  // namespace stella::sandbox
