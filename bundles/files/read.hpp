// SPDX-License-Identifier: Apache-2.0
// Reading files that somebody hands us: opened once, read once, bounded, never blocking on a pipe. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bundles/files/fd.hpp"

namespace stella::files {

enum class Links { follow, refuse };
enum class Empty { refuse, allow };

struct InputRule {
  std::uint64_t max_bytes;
  Empty empty = Empty::refuse;
  Links links = Links::follow;
};

// Opens a regular file for reading, without blocking on a FIFO. A folder, FIFO, device, socket, empty or too large file
// is ERR_FILE_UNSUITABLE (reasons folder, fifo, device, socket, empty, size, link), a missing one ERR_FILE_NOT_FOUND.
[[nodiscard]] Fd open_input(const std::string& path, InputRule rule);
[[nodiscard]] std::string read_input(const std::string& path, InputRule rule);
// Same checks for a file beneath a folder descriptor; links are always refused.
[[nodiscard]] std::string read_input_beneath(const Fd& root, const std::string& relative, InputRule rule);
// Standard input up to max_bytes.
[[nodiscard]] std::string read_stream(int fd, std::uint64_t max_bytes, const std::string& name);
// Calls `take` with blocks of up to 1 MiB until the end; more than max_bytes is ERR_FILE_UNSUITABLE, reason `size`.
void stream_input(const Fd& file, const std::string& name, std::uint64_t max_bytes,
                  const std::function<void(std::string_view)>& take);
[[nodiscard]] std::uint64_t size_of(const Fd& file);

}  // namespace stella::files
