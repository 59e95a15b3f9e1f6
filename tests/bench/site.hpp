// SPDX-License-Identifier: Apache-2.0
// A home with an applied policy and a publisher's key, made by the built binary (STELLA names it), and signed packs for
// it. The home is STELLA_HOME of this process from then on.
#pragma once

#include <string>

#include "tests/bench/measure.hpp"

namespace stella::bench {

[[nodiscard]] std::string binary();  // throws when STELLA is not set

class Site {
 public:
  explicit Site(const std::string& mode = "sealed");
  [[nodiscard]] std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  [[nodiscard]] std::string home() const { return path("home"); }
  // Writes a pack folder around `spec` (what stands under `spec:`, with two spaces before each line).
  [[nodiscard]] std::string folder(const std::string& name, const std::string& spec) const;
  // Builds and signs it; the .pack file.
  [[nodiscard]] std::string pack(const std::string& name, const std::string& spec) const;

 private:
  Folder root_;
};

// `count` steps that do nothing, in block style, ids s0, s1, ...; `indent` before each line.
[[nodiscard]] std::string no_op_steps(int count, const std::string& indent);

}  // namespace stella::bench
