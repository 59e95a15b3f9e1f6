// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/undertaker.hpp"

#include <system_error>
#include <thread>
#include <utility>

namespace stella::sandbox {

void bury(Child child, files::Fd witness) noexcept {
  try {
    std::thread([held = std::move(child), socket = std::move(witness)]() mutable noexcept {
      held.wait();
      socket.reset();
    }).detach();
  } catch (const std::system_error&) {
    // No thread to be had: the two go out of scope where they are, and the caller waits.
  }
}

}  // namespace stella::sandbox
