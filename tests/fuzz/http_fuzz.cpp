// SPDX-License-Identifier: Apache-2.0
// What a client sends as text: the first byte says what it is taken for.
#include <algorithm>

#include "appliance/console/run_request.hpp"
#include "appliance/http/target.hpp"
#include "appliance/stream/mark.hpp"
#include "bundles/canon/fields.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using namespace stella;

void target(std::string_view text) {
  const http::Target found = http::parse_target(text);
  for (const std::string& segment : found.segments) {
    fuzz::require(!segment.empty() && segment != "." && segment != ".." && canon::is_utf8(segment));
    fuzz::require(segment.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos);
  }
  for (const auto& [name, value] : found.query) fuzz::require(canon::is_utf8(name) && canon::is_utf8(value));
  std::string again;
  for (const std::string& segment : found.segments) again += "/" + http::escape_segment(segment);
  if (again.empty()) again = "/";
  if (again.size() <= http::kMaxTarget) fuzz::require(http::parse_target(again).segments == found.segments);
}

void form(std::string_view text) {
  const auto pairs = http::parse_form(text);
  fuzz::require(pairs.size() <= http::kMaxPairs);
}

void multipart(std::string_view text) {
  for (const http::Part& part : http::parse_multipart("multipart/form-data; boundary=B", text)) {
    fuzz::require(part.bytes.data() >= text.data() &&
                  part.bytes.data() + part.bytes.size() <= text.data() + text.size());
    fuzz::require(part.bytes.find("\r\n--B") == std::string_view::npos);
  }
  (void)http::parse_multipart(text, "--B--");
}

void marks(std::string_view text) {
  for (const auto kind : {stream::Kind::events, stream::Kind::logs}) {
    if (const auto mark = stream::parse_mark(kind, text))
      fuzz::require(stream::parse_mark(kind, stream::text_of(kind, *mark)) == mark);
  }
}

void run_request(std::string_view text) {
  const console::RunRequest wish = console::parse_run_request(text);
  fuzz::require(!wish.pack.starts_with('-') && !wish.plan_hash.starts_with('-'));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  fuzz::refusing_is_fine([&] {
    switch (data[0]) {
      case 'f':
        return form(text);
      case 'm':
        return multipart(text);
      case 'c':
        (void)http::find_cookie(text, "s");
        return;
      case 'i':
        return marks(text);
      case 'r':
        return run_request(text);
      case 'p':
        (void)console::run_in_response(text);
        return;
      default:
        return target(text);
    }
  });
  return 0;
}
