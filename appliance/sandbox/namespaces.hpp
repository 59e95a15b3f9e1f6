// SPDX-License-Identifier: Apache-2.0
// Starting the child in namespaces of its own, and ending it. The parent's side.
#pragma once

#include <sys/types.h>

#include "appliance/sandbox/blueprint.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {

// A step's tree. Whoever lets go of it ends it: SIGKILL to its process 1, which takes every process of it along.
class Child {
 public:
  Child(pid_t pid, files::Fd pidfd, files::Fd socket, files::Fd output, files::Fd errors);
  Child(Child&& other) noexcept;
  ~Child();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  [[nodiscard]] int output() const noexcept { return output_.get(); }
  [[nodiscard]] int errors() const noexcept { return errors_.get(); }
  void kill() noexcept;
  // Waits until the whole tree is gone.
  void wait() noexcept;

 private:
  pid_t pid_;
  files::Fd pidfd_, socket_, output_, errors_;
  bool waited_ = false;
};

// Clones, maps the user when that is the parent's task, and hands over the run's folders. Returns before the child is
// ready. Throws ERR_SANDBOX_UNAVAILABLE with the cause and its remedy.
[[nodiscard]] Child launch(const Blueprint& blueprint);

}  // namespace stella::sandbox
