// SPDX-License-Identifier: Apache-2.0
// What is done again and again beside serving: short, on the caller's thread, and an error is only noted. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace stella::chores {

using Moment = std::chrono::steady_clock::time_point;
using Trouble = std::function<void(const std::string&)>;  // a chore failed: a sentence

struct Chore {
  std::string name;
  std::chrono::seconds every;
  std::function<void()> act;
};

class List {
 public:
  List(std::vector<Chore> all, Trouble trouble);
  void turn(Moment now);  // does what is due; everything is at the first call

 private:
  struct Due {
    Chore chore;
    Moment next{};
  };
  std::vector<Due> all_;
  Trouble trouble_;
};

}  // namespace stella::chores
