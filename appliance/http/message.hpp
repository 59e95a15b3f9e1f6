// SPDX-License-Identifier: Apache-2.0
// What the server hands to whoever answers, and what it takes back. Plain values; a Stream says which threads call it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/http/target.hpp"
#include "bundles/files/fd.hpp"

namespace stella::http {

struct Request {
  std::string method;  // GET HEAD POST
  Target target;
  Pairs headers;  // names in lower case, in their order; at most 64
  std::string body;
  std::optional<uid_t> peer;  // of a client on a Unix socket

  // Nothing when it is absent; ERR_USAGE reason `twice` when it comes twice.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const { return find_pair(headers, name); }
};

// Wakes a stream that said `wait`. Any thread; safe from within the stream's own lock. Valid until the stream is
// destroyed.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void wake() = 0;
};

enum class Next { more, wait, end };  // wait: sleep until woken
struct Portion {
  std::size_t bytes = 0;
  Next next = Next::more;
};

// A body that is made while it is sent. `read` and the destructor are called by the server's thread, one at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  // Fills `into` from its start. 0 bytes with `more` is not allowed; with `end` the body is whole.
  virtual Portion read(std::span<char> into, Sleeper& sleeper) = 0;
};

struct Response {
  int status = 200;
  Pairs headers;  // Content-Type and what else; the guards are added by the server
  std::string body = {};
  std::string_view fixed = {};  // bytes that live as long as the program, instead of `body`
  files::Fd file = {};          // a regular file, sent from its start, instead of `body`
  std::uint64_t file_bytes = 0;
  std::unique_ptr<Stream> stream = {};             // instead of `body`
  std::optional<std::uint64_t> stream_bytes = {};  // how long the stream is, where that is known
};

[[nodiscard]] Response text_response(int status, std::string text);  // text/plain; charset=utf-8

// What every response carries, as far as it does not say otherwise itself: a strict Content-Security-Policy, no-store,
// nosniff and the rest (docs/formats/http.md).
[[nodiscard]] const Pairs& guards();

}  // namespace stella::http
