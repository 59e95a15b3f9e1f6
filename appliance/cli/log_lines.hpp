// SPDX-License-Identifier: Apache-2.0
// Lines out of a log's pieces: each with its step, number, stream and time. One thread; at most 64 KiB are held for
// each try that is in the middle of a line.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "appliance/logs/reader.hpp"

namespace stella::cli {

struct LogLine {
  std::string_view step;
  int number = 1;
  logs::Stream stream = logs::Stream::out;
  clock::Time at{};
  std::uint64_t line = 1;
  std::string_view text;  // without newline; a longer line than 64 KiB comes in parts with the same number
};

class LogLines {
 public:
  using Take = std::function<void(const LogLine&)>;
  void add(const logs::Piece& piece, const Take& take);
  void finish(const Take& take);  // what has no newline yet

 private:
  struct Held {
    std::string text;
    clock::Time at{};
    std::uint64_t line = 1;
  };
  using Key = std::tuple<std::string, int, logs::Stream>;
  static void give(const Key& key, Held& held, const Take& take);
  std::map<Key, Held> held_;
};

}  // namespace stella::cli
