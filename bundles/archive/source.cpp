// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "bundles/archive/tar.hpp"

namespace stella::archive {

std::function<std::string_view()> file_source(const files::Fd& file, const std::string& name) {
  auto buffer = std::make_shared<std::vector<char>>(std::size_t{1} << 20);
  return [&file, name, buffer]() -> std::string_view {
    for (;;) {
      const ssize_t got = ::read(file.get(), buffer->data(), buffer->size());
      if (got >= 0) return {buffer->data(), static_cast<std::size_t>(got)};
      if (errno != EINTR) throw fault::system_error(errno, "reading", name);
    }
  };
}

std::function<std::string_view()> text_source(std::string_view text, std::size_t block_bytes) {
  return [text, block_bytes]() mutable {
    const std::string_view block = text.substr(0, block_bytes);
    text.remove_prefix(block.size());
    return block;
  };
}

}  // namespace stella::archive
