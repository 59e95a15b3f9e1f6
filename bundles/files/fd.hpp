// SPDX-License-Identifier: Apache-2.0
// Descriptors and C handles with an owner. Any thread, one owner each.
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace stella::files {

template <auto Close>
struct Closer {
  template <class T>
  void operator()(T* handle) const noexcept {
    Close(handle);
  }
};
template <class T, auto Close>
using Handle = std::unique_ptr<T, Closer<Close>>;

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// A folder, O_PATH-free and O_CLOEXEC; throws system_error.
[[nodiscard]] Fd open_folder(const std::string& path);
// Opens `relative` beneath `root` with openat2(RESOLVE_BENEATH|NO_SYMLINKS|NO_XDEV): nothing outside is ever reached.
// flags as open(2), O_CLOEXEC is added; throws system_error.
[[nodiscard]] Fd open_beneath(const Fd& root, const std::string& relative, int flags, unsigned mode = 0);

}  // namespace stella::files
