// SPDX-License-Identifier: Apache-2.0
// What a step writes, on its way: redactor, then whole lines, then the log file and the listener. Nothing of it is kept
// anywhere else. One thread, the one that runs the sandbox.
#pragma once

#include <chrono>
#include <string>

#include "appliance/run/live.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/fd.hpp"
#include "vault/redaction/redactor.hpp"

namespace stella::run {

class Capture : public sandbox::Observer {
 public:
  // `log` is relative to the run's folder and must not exist.
  Capture(Live& live, std::string step, int attempt, std::string log, const redaction::Patterns& patterns);
  void output(sandbox::Stream stream, std::string_view bytes) override;
  void blocked(const sandbox::Blocked& first_seen) override;
  bool stop_requested() override;

  struct Log {
    std::uint64_t size_bytes;
    std::string digest;
  };             // sha256:HEX
  Log finish();  // everything is on disk when it returns

 private:
  struct Lines {  // of one stream: what waits for its newline
    std::string held;
  };
  void assemble(Lines& lines, std::string_view bytes);
  void emit(std::string_view line);
  void say_output();

  Live* live_;
  std::string step_, log_;
  int attempt_;
  files::Fd file_;
  Lines out_lines_, err_lines_;
  redaction::Redactor out_, err_;
  canon::Sha256 whole_, part_;
  std::uint64_t size_ = 0, said_ = 0;
  std::chrono::steady_clock::time_point last_said_;
};

}  // namespace stella::run
