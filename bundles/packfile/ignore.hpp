// SPDX-License-Identifier: Apache-2.0
// `.packignore`: which entries of a pack's folder stay out of the pack. Any thread.
//
// One pattern a line; `#` starts a comment; `*`, `?` and `[...]` as in fnmatch(3), never across `/`. A pattern with a
// `/` in it, or at its start, is matched from the folder's root, one without against the name of any entry; a closing
// `/` means folders only. What lies in a left-out folder is left out. `!` is refused. Always left out: `.packignore`,
// `.git/`, and `*.pack` at the root, so that building in the folder itself gives the same bytes again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stella::packfile {

class IgnoreRules {
 public:
  // Throws ERR_PACK_INVALID, reason `ignore`, at `.packignore:line`.
  static IgnoreRules parse(std::string_view text);
  [[nodiscard]] bool leaves_out(const std::string& path, bool is_folder) const;

 private:
  struct Rule {
    std::string pattern;
    bool anchored, folders_only;
  };
  [[nodiscard]] bool matches(std::string_view path, bool is_folder) const;
  std::vector<Rule> rules_;
};

}  // namespace stella::packfile
