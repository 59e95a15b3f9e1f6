// SPDX-License-Identifier: Apache-2.0
// RFC 5322 with MIME: 7-bit clean, so that no server on the way has to touch it.
#include <fmt/format.h>

#include <array>
#include <chrono>

#include "appliance/notify/payload.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::notify {
namespace {

constexpr std::size_t kSubject = 200, kWord = 45;  // 45 bytes are 60 digits of base64: a word of 72 (RFC 2047: 75)

bool is_plain(const std::string& text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return text.find("=?") == std::string::npos;
}

// ASCII on lines of about 70, broken at spaces, which unfolding gives back.
std::string folded(const std::string& text) {
  std::string out;
  std::size_t width = std::string_view("Subject: ").size();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at + 1), text.size());
    if (width + end - at > 70 && at > 0 && text[at] == ' ') {
      out += "\r\n";
      width = 0;
    }
    out += text.substr(at, end - at);
    width += end - at;
    at = end;
  }
  return out;
}

// The next part of at most kWord bytes, cut between characters.
std::string word_at(const std::string& text, std::size_t from) {
  std::size_t end = std::min(text.size(), from + kWord);
  while (end < text.size() && end > from && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(from, end - from);
}

// ASCII as it is, else RFC 2047 words on folded lines: a line end in it cannot end the header.
std::string header_text(const std::string& text) {
  if (is_plain(text)) return folded(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string word = word_at(text, at);
    out += fmt::format("{}=?utf-8?B?{}?=", out.empty() ? "" : "\r\n ", canon::to_base64(word));
    at += word.size();
  }
  return out;
}

std::string date_of(clock::Time time) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string recipients_of(const site::Notification& rule) {
  std::string out;
  for (const std::string& one : rule.recipients) out += (out.empty() ? "" : ",\r\n ") + one;
  return out;
}

std::string body_of(const Message& message, const std::string& id) {
  std::string body = message.headline + "\r\n\r\n";
  for (const auto& [label, value] : facts_of(message)) body += fmt::format("{:<10} {}\r\n", label + ":", value);
  if (!message.text.empty()) body += "\r\n" + message.text + "\r\n";
  if (!message.next.empty()) body += "\r\nNext:\r\n  " + message.next + "\r\n";
  return body + fmt::format("\r\n-- \r\nMessage {} of stella. Nobody reads answers to it.\r\n", id);
}

std::string base64_lines(const std::string& bytes) {
  const std::string digits = canon::to_base64(bytes);
  std::string out;
  for (std::size_t at = 0; at < digits.size(); at += 76) out += digits.substr(at, 76) + "\r\n";
  return out;
}

}  // namespace

std::string email_text(const Message& message, const site::Notification& rule, const std::string& id) {
  const std::string domain = rule.from.substr(rule.from.find('@') + 1);
  std::string head;
  const auto add = [&](const char* name, const std::string& value) { head += fmt::format("{}: {}\r\n", name, value); };
  add("Date", date_of(message.at));
  add("From", rule.from);
  add("To", recipients_of(rule));
  add("Subject", header_text(cut(message.headline, kSubject)));
  add("Message-ID", fmt::format("<stella.{}@{}>", id, domain));
  // All that is about one run stands together in a reader that shows threads.
  if (!message.run.empty())
    add("References", fmt::format("<stella.run.{}@{}>", canon::sha256(message.run).hex().substr(0, 32), domain));
  add("Auto-Submitted", "auto-generated");
  add("MIME-Version", "1.0");
  add("Content-Type", "text/plain; charset=utf-8");
  add("Content-Transfer-Encoding", "base64");
  return head + "\r\n" + base64_lines(body_of(message, id));
}

}  // namespace stella::notify
