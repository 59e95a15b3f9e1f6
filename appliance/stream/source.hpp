// SPDX-License-Identifier: Apache-2.0
// Reads a run's events or log from a mark on, as the messages that viewers get. One thread each; memory does not grow
// with the run.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "appliance/journal/journal.hpp"
#include "appliance/logs/reader.hpp"
#include "appliance/stream/mark.hpp"
#include "bundles/canon/json.hpp"

namespace stella::stream {

inline constexpr std::size_t kLargestMessage = 128 << 10;

struct Message {
  std::string text;  // `id: …\ndata: …\n\n`, at most kLargestMessage
  Mark end;
};

class Source {
 public:
  virtual ~Source() = default;
  // Nothing: there is no more now.
  [[nodiscard]] virtual std::optional<Message> next() = 0;
};

// Each event is its journal line. One that is too large for a message comes as `event: gap` with where to get it.
[[nodiscard]] std::unique_ptr<Source> event_source(const journal::Journal& journal, const std::string& run,
                                                   const Mark& after);

// A piece of one try's text: whole records, those over 16 KiB in parts.
struct LogPiece {
  Mark end;
  canon::Json data;  // {step, try, stream, at, line, text}, or {step, try, at, end: true} after the last
};
class LogPieces {
 public:
  // step empty: of all steps.
  LogPieces(const std::string& folder, const std::string& step, const Mark& after);
  [[nodiscard]] std::optional<LogPiece> next();

 private:
  void take(const logs::Piece& piece);
  logs::Reader reader_;
  Mark at_;             // after the last piece that was taken
  std::uint64_t skip_;  // of the first record
  std::deque<LogPiece> due_;
};
[[nodiscard]] std::unique_ptr<Source> log_source(const std::string& folder, const std::string& step, const Mark& after);
// The mark after the last whole record, found by reading the last chunk; of a small log the beginning instead.
[[nodiscard]] Mark mark_near_end(const std::string& folder, std::uint64_t small_bytes);

// At most `limit` events after `after_seq`, in order; true when there are more. The visitor may not use the journal.
bool visit_events(const journal::Journal& journal, const std::string& run, std::int64_t after_seq, std::size_t limit,
                  const journal::Journal::Visitor& visit);
// The mark after all that there is now of a run that has ended.
[[nodiscard]] Mark end_of_run(const journal::Journal& journal, const journal::RunRow& row, Kind kind);

[[nodiscard]] std::string gap_message(Kind kind, const std::string& run, const Mark& from, const Mark& to);

}  // namespace stella::stream
