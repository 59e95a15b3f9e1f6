// SPDX-License-Identifier: Apache-2.0
// What a step writes, on its way: redactor, then whole lines, then the run's log chunks and whoever listens. Nothing of
// it is kept anywhere else. One thread, the lane that runs the sandbox; the journal is never touched from here.
#pragma once

#include <chrono>
#include <string>

#include "appliance/logs/writer.hpp"
#include "appliance/sandbox/step.hpp"
#include "bundles/canon/json.hpp"
#include "vault/redaction/redactor.hpp"

namespace stella::run {

// Where a lane says what comes up while its step runs. Called from that lane's thread only.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void line(std::string_view text) = 0;  // redacted and printable, without newline
  [[nodiscard]] virtual bool wants_lines() const { return true; }
  virtual void note(std::string text) = 0;
  // The next stretch of the log, at most every two seconds and once at the end: {try, log, offset, bytes, sha256} of
  // pack.step.output. Whoever writes that event calls logs::Writer::sync() before.
  virtual void part(canon::Json data) = 0;
  virtual bool stop_requested() = 0;
  virtual bool network_is_cut() { return false; }
};

class Capture : public sandbox::Observer {
 public:
  // `log` is what events call this try's log: logs/<step>.<try>.log, its name in the evidence.
  Capture(Sink& sink, logs::Writer& writer, const clock::Clock& clock, std::string step, int attempt, std::string log,
          const redaction::Patterns& patterns);
  void output(sandbox::Stream stream, std::string_view bytes) override;
  void blocked(const sandbox::Blocked& first_seen) override;
  bool stop_requested() override;
  bool network_is_cut() override;
  // Everything is appended when it returns; durable after the next logs::Writer::sync().
  using Log = logs::Whole;
  [[nodiscard]] Log finish();

 private:
  struct Lines {  // of one stream
    logs::Stream stream;
    std::string held;   // waits for its newline
    std::string whole;  // whole lines that wait for the end of this call
  };
  void assemble(Lines& lines, std::string_view bytes);
  void flush(Lines& lines);
  void show(std::string_view lines);
  void say_part();

  Sink* sink_;
  const clock::Clock* clock_;
  std::string step_, name_;
  int attempt_;
  logs::Try log_;
  Lines out_lines_{logs::Stream::out, {}, {}}, err_lines_{logs::Stream::err, {}, {}};
  redaction::Redactor out_, err_;
  std::chrono::steady_clock::time_point last_said_;
};

}  // namespace stella::run
