// SPDX-License-Identifier: Apache-2.0
// Guarded memory for keys, passphrases and secrets: locked, left out of core dumps, between guard pages, wiped on free.
// Lives below the vault because key files need it too. One owner per value; any thread.
// Source: libsodium "Secure memory" (sodium_malloc: mlock + MADV_DONTDUMP + canary + guard pages).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace stella::locked {

class Bytes {
 public:
  Bytes() noexcept = default;
  explicit Bytes(std::size_t size);  // zeroed; throws internal when memory cannot be locked
  static Bytes copy_of(std::string_view text);
  static Bytes copy_of(std::span<const std::uint8_t> bytes);
  Bytes(Bytes&& other) noexcept;
  Bytes& operator=(Bytes&& other) noexcept;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes();

  [[nodiscard]] std::uint8_t* data() noexcept { return data_; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::span<const std::uint8_t> span() const noexcept { return {data_, size_}; }
  // A view for handing to a C library; never to be copied into a std::string.
  [[nodiscard]] std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  void shrink(std::size_t size) noexcept;  // wipes what falls away

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Constant-time; false at once only when the sizes differ.
[[nodiscard]] bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;
// Fills from the kernel's generator.
void fill_random(std::span<std::uint8_t> out) noexcept;
// Initialises libsodium once; forbids core dumps and ptrace of this process (PR_SET_DUMPABLE 0). Call first in main.
void protect_process();

}  // namespace stella::locked
