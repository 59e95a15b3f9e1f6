// SPDX-License-Identifier: Apache-2.0
#include "bundles/locked/bytes.hpp"

#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstring>
#include <utility>

#include "bundles/fault/error.hpp"

namespace stella::locked {
namespace {

void initialise() {
  if (sodium_init() < 0) throw fault::Error(fault::Code::internal, "sodium", "libsodium could not be initialised");
}

}  // namespace

Bytes::Bytes(std::size_t size) : size_(size) {
  initialise();
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size == 0 ? 1 : size));
  if (data_ == nullptr) throw fault::Error(fault::Code::internal, "memory", "no guarded memory is to be had");
  // sodium_malloc says nothing when RLIMIT_MEMLOCK kept it from locking (1.0.18): so lock again and see.
  if (size > 0 && ::mlock(data_, size) != 0) {
    sodium_free(data_);
    throw fault::Error(fault::Code::internal, "memory", "memory for a secret could not be locked", {},
                       "Raise the limit of locked memory (`ulimit -l`) for this user and run the command again.");
  }
  std::memset(data_, 0, size);
}

Bytes Bytes::copy_of(std::string_view text) {
  Bytes result(text.size());
  if (!text.empty()) std::memcpy(result.data(), text.data(), text.size());
  return result;
}

Bytes Bytes::copy_of(std::span<const std::uint8_t> bytes) {
  return copy_of(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Bytes::Bytes(Bytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Bytes& Bytes::operator=(Bytes&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) sodium_free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Bytes::~Bytes() {
  if (data_ != nullptr) sodium_free(data_);
}

void Bytes::shrink(std::size_t size) noexcept {
  if (size >= size_) return;
  sodium_memzero(data_ + size, size_ - size);
  size_ = size;
}

bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

void fill_random(std::span<std::uint8_t> out) noexcept {
  randombytes_buf(out.data(), out.size());
}

void protect_process() {
  initialise();
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{1, 1};  // 0 does not stop a piped core_pattern, exactly 1 does (kernel do_coredump)
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace stella::locked
