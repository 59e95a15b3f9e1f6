// SPDX-License-Identifier: Apache-2.0
// What every page of the console has: head, skip link, bar, notice, sheet of keys. Pure; any thread.
#pragma once

#include <string>

#include "appliance/page/marks.hpp"

namespace stella::page {

struct Frame {
  std::string who = {};         // signed in as; empty: nobody is
  std::string form_token = {};  // for forms; empty: the page shows none that act
  std::string notice = {};      // what the last form did, for people; empty: nothing
  bool notice_is_bad = false;
  bool may_run = false;      // resume and cancel are shown
  bool may_approve = false;  // to fetch a request and hand in a response are shown
  bool with_logout = false;  // a session of the browser, not a socket's peer
};

struct Screen {
  std::string title, kind;  // kind: `runs`, `run`, `plain`: what the script does on it
  Html content;             // of <main>
};

// The whole document.
[[nodiscard]] std::string framed(const Frame& frame, const Screen& screen);

// A form's hidden token; nothing when there is none.
[[nodiscard]] Html token_field(const Frame& frame);
// Text to take along, with a button for it that only a script shows.
[[nodiscard]] Html copyable(const std::string& text);

[[nodiscard]] std::string runs_path();
[[nodiscard]] std::string run_path(const std::string& run);

// The page in which a token is given once; `problem` is shown when the last one was refused.
[[nodiscard]] std::string login_page(const std::string& next, const std::string& problem);
// An error as the command line has it.
struct Trouble {
  std::string code, message, fix;
  std::string run = {};  // of which it was asked; empty: none
};
[[nodiscard]] std::string error_page(const Frame& frame, const Trouble& trouble);

}  // namespace stella::page
