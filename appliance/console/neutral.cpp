// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/neutral.hpp"

#include <fmt/format.h>

#include "bundles/canon/digest.hpp"

namespace stella::console {
namespace {

const std::string& name_mark() {
  static const std::string kMark = "name-" + canon::random_hex(16);
  return kMark;
}
const std::string& token_mark() {
  static const std::string kMark = "form-" + canon::random_hex(16);
  return kMark;
}

void put(std::string& page, const std::string& mark, const std::string& text) {
  for (auto at = page.find(mark); at != std::string::npos; at = page.find(mark, at + text.size()))
    page.replace(at, mark.size(), text);
}

}  // namespace

page::Frame neutral(page::Frame frame) {
  if (!frame.who.empty()) frame.who = name_mark();
  if (!frame.form_token.empty()) frame.form_token = token_mark();
  return frame;
}

std::string variant_of(const page::Frame& frame) {
  return fmt::format("{}{}{}{}{}{} {}", frame.who.empty(), frame.form_token.empty(), frame.notice_is_bad, frame.may_run,
                     frame.may_approve, frame.with_logout, frame.notice);
}

std::string personal(std::string page, const page::Frame& frame) {
  put(page, name_mark(), markup::Html(frame.who).bytes());
  put(page, token_mark(), markup::Html(frame.form_token).bytes());
  return page;
}

}  // namespace stella::console
