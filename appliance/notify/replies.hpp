// SPDX-License-Identifier: Apache-2.0
// What a mail server says of each recipient, followed beside the transfer: one that it refuses keeps the mail from
// nobody else. Pure; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stella::notify {

class Replies {
 public:
  // In the order in which they will be asked for.
  explicit Replies(std::vector<std::string> recipients) : recipients_(std::move(recipients)) {}
  void said(std::string_view command);  // a line to the server
  void heard(std::string_view reply);   // a line from it; the first line that is no `250-` ends a reply

  struct Answered {
    std::string recipient;
    int status = 0;
  };
  [[nodiscard]] std::vector<std::string> taken() const;  // 2xx
  [[nodiscard]] std::vector<Answered> later() const;     // 4xx
  [[nodiscard]] std::vector<Answered> refused() const;   // 5xx
  [[nodiscard]] bool is_about_all() const noexcept { return answered_.size() == recipients_.size(); }

 private:
  [[nodiscard]] std::vector<Answered> of_class(int hundreds) const;
  std::vector<std::string> recipients_;
  std::vector<Answered> answered_;
  bool is_asked_ = false;
};

}  // namespace stella::notify
