// SPDX-License-Identifier: Apache-2.0
// What goes over the service's sockets (docs/formats/service-socket.md): strictly read, nothing is believed. Between
// the command line of a person and the service: a Request, then Signals one way and one Answer the other. Between that
// command line and the process that works for it: Wishes, each answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bundles/fault/error.hpp"

namespace stella::service {

inline constexpr std::size_t kRequestDescriptors = 4;  // standard input, output, error; the socket for wishes

struct Request {
  std::vector<std::string> arguments;  // of the verb, without argv[0]; no NUL
  std::string folder;                  // absolute: where relative paths of the arguments begin
  std::string term;                    // TERM, for progress and colours; empty: none
  bool no_colour = false;
};
[[nodiscard]] std::string text_of(const Request& request);
// Errors: ERR_USAGE, reason `frame`, for everything that is no such request. At most 256 arguments.
[[nodiscard]] Request parse_request(std::string_view text);

// SIGINT, SIGTERM or SIGHUP, as {"signal": "INT"}. parse_: ERR_USAGE, reason `frame`.
[[nodiscard]] std::string text_of_signal(int number);
[[nodiscard]] int parse_signal(std::string_view text);

struct Ended {
  int status = 0;  // exit status; of a killed process: nothing
  int signal = 0;  // what killed it; 0: it ended by itself
};
using Answer = std::variant<Ended, fault::Error>;  // the error: refused, nothing was started
[[nodiscard]] std::string text_of(const Answer& answer);
[[nodiscard]] Answer parse_answer(std::string_view text);

struct Wish {
  enum class Kind { read, write, folder };  // bring it open; write what the descriptor holds; is it a folder
  Kind kind = Kind::read;
  std::string path;   // absolute
  std::string below;  // read: not `path` but this beneath that folder; empty: `path`
  int mode = 0600;    // of what is written
  bool replace = true;
};
[[nodiscard]] std::string text_of(const Wish& wish);
[[nodiscard]] Wish parse_wish(std::string_view text);

// `yes` answers a wish that was fulfilled; `no`: it is no folder.
using Fulfilled = std::variant<bool, fault::Error>;
[[nodiscard]] std::string text_of_fulfilled(const Fulfilled& fulfilled);
[[nodiscard]] Fulfilled parse_fulfilled(std::string_view text);

}  // namespace stella::service
