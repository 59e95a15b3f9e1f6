// SPDX-License-Identifier: Apache-2.0
// The logs of before the chunks: one plain file a try. Only this room includes it.
#pragma once

#include <vector>

#include "appliance/logs/reader.hpp"
#include "bundles/files/fd.hpp"

namespace stella::logs {

struct Plain {
  std::string name, step;  // <step>.<number>.log
  int number = 1;
  clock::Time at{};  // when the file was last written
};
// In the order of their times.
[[nodiscard]] std::vector<Plain> plain_logs(const std::string& folder);

class PlainText {
 public:
  PlainText(const std::string& folder, Plain one);
  [[nodiscard]] std::optional<Piece> next();

 private:
  Plain one_;
  files::Fd fd_;
  std::string block_;
  std::uint64_t offset_ = 0, lines_ = 0;
};

}  // namespace stella::logs
