// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: bytes in, our own errors swallowed, everything else a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "bundles/fault/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace stella::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A promise of the code under test; broken, it is a finding.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Refusing is fine, with any code but `internal`: that one says that we were wrong about the input.
inline void refusing_is_fine(const std::function<void()>& work) {
  try {
    work();
  } catch (const fault::Error& error) {
    require(error.code() != fault::Code::internal);
    require(!error.reason().empty());
  }
}

}  // namespace stella::fuzz
