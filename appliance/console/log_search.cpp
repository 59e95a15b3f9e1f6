// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/log_search.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <chrono>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxPattern = 4096;
constexpr std::chrono::seconds kLongest{5};

re2::RE2::Options options_of(const LogWanted& wanted) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  options.set_literal(wanted.literal);
  options.set_case_sensitive(wanted.case_sensitive);
  return options;
}

// Read as the client takes it.
class Download : public http::Stream {
 public:
  explicit Download(const logs::OneTry& one) : reader_(one.folder, {.step = one.step, .number = one.number}) {}
  http::Portion read(std::span<char> into, http::Sleeper&) override {
    while (rest_.empty()) {
      const auto piece = reader_.next();
      if (!piece) return {0, http::Next::end};
      rest_ = piece->bytes;
    }
    const std::size_t count = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), count, into.begin());
    rest_.remove_prefix(count);
    return {count, http::Next::more};
  }

 private:
  logs::Reader reader_;
  std::string_view rest_;  // of the reader's last piece
};

}  // namespace

LogFound search_log(const logs::OneTry& one, const LogWanted& wanted,
                    const std::function<void(const logs::TextLine&, std::size_t, std::size_t)>& take) {
  if (wanted.pattern.empty() || wanted.pattern.size() > kMaxPattern)
    throw Error(Code::usage, "q", fmt::format("a pattern has 1 to {} bytes", kMaxPattern), "q");
  const re2::RE2 pattern(wanted.pattern, options_of(wanted));
  if (!pattern.ok())
    throw Error(Code::usage, "q", fmt::format("no pattern: {}", canon::printable(pattern.error(), 200)), "q",
                "Patterns are RE2's; regex=0 takes the text as it is.");
  const auto until = std::chrono::steady_clock::now() + kLongest;
  LogFound found;
  std::uint64_t looked = 0;
  logs::for_each_line(one, [&](const logs::TextLine& line) {
    if (line.number < wanted.from) return true;
    if (++looked % 4096 == 0 && std::chrono::steady_clock::now() > until) {
      found.next = line.number;
      return false;
    }
    re2::StringPiece place;
    const re2::StringPiece whole(line.text);
    if (!pattern.Match(whole, 0, whole.size(), re2::RE2::UNANCHORED, &place, 1)) return true;
    ++found.count;
    take(line, static_cast<std::size_t>(place.data() - whole.data()), place.size());
    return true;
  });
  return found;
}

http::Response download_log(const std::string& run, const logs::OneTry& one) {
  std::string name = fmt::format("{}.{}.{}.log", run, one.step, one.number);
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  http::Response response;
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)}};
  response.stream = std::make_unique<Download>(one);
  return response;
}

}  // namespace stella::console
