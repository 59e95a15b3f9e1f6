// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/replies.hpp"

#include <algorithm>

namespace stella::notify {
namespace {

// 0: a reply that goes on, or none.
int status_of(std::string_view reply) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (reply.size() < 3 || !std::all_of(reply.begin(), reply.begin() + 3, is_digit)) return 0;
  if (reply.size() > 3 && reply[3] == '-') return 0;
  return (reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0');
}

}  // namespace

void Replies::said(std::string_view command) {
  is_asked_ = command.starts_with("RCPT TO:");
}

void Replies::heard(std::string_view reply) {
  const int status = status_of(reply);
  if (!is_asked_ || status == 0 || answered_.size() == recipients_.size()) return;
  answered_.push_back({recipients_[answered_.size()], status});
  is_asked_ = false;
}

std::vector<Replies::Answered> Replies::of_class(int hundreds) const {
  std::vector<Answered> found;
  std::copy_if(answered_.begin(), answered_.end(), std::back_inserter(found),
               [&](const Answered& one) { return one.status / 100 == hundreds; });
  return found;
}

std::vector<std::string> Replies::taken() const {
  std::vector<std::string> found;
  for (const Answered& one : of_class(2)) found.push_back(one.recipient);
  return found;
}
std::vector<Replies::Answered> Replies::later() const {
  return of_class(4);
}
std::vector<Replies::Answered> Replies::refused() const {
  return of_class(5);
}

}  // namespace stella::notify
