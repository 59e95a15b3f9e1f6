// SPDX-License-Identifier: Apache-2.0
// Whether the names that an expression or template reads are there, where it stands. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "appliance/pack/scopes.hpp"
#include "appliance/pack/section.hpp"

namespace stella::pack {

// inputs: fixed when the pack is planned; known: and the iterators around.
enum class Reads { inputs, known, everything };

struct Reader {
  const Scope* scope = nullptr;
  const Place* place = nullptr;  // null: when the run has ended
  Reads reads = Reads::everything;
  bool after_turn = false;  // a loop's `until`: place is the loop
};

[[nodiscard]] bool is_root(std::string_view name);  // inputs, steps, run, approvals, secrets

class NamesRead {
 public:
  NamesRead(const Manifest& manifest, Findings& findings) : manifest_(manifest), findings_(findings) {}
  // Empty text is no problem.
  void check_expression(const std::string& text, const std::string& pointer, const Reader& reader);
  void check_template(const std::string& text, const std::string& pointer, const Reader& reader);
  // `, did you mean ...?` or nothing. With very many problems only the first are worth a guess.
  [[nodiscard]] std::string guess(const std::string& word, const std::vector<std::string>& candidates) const;

 private:
  using Path = std::vector<std::string>;
  void check_names(const std::vector<Path>& names, const std::string& pointer, const Reader& reader);
  [[nodiscard]] std::string problem_of(const Path& path, const Reader& reader) const;
  [[nodiscard]] std::string member(const Path& path, const std::vector<std::string>& known, std::string_view what,
                                   std::size_t level = 1) const;
  [[nodiscard]] std::string approval_problem(const Path& path) const;
  [[nodiscard]] std::string step_problem(const Path& path, const Reader& reader) const;
  [[nodiscard]] std::vector<std::string> roots(const Reader& reader) const;

  const Manifest& manifest_;
  Findings& findings_;
};

}  // namespace stella::pack
