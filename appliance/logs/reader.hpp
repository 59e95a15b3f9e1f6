// SPDX-License-Identifier: Apache-2.0
// Reads a run's log chunks, also while a Writer goes on (in this process or another). One thread; as many readers as
// one likes. Memory does not grow with the log: one record (at most 1 MiB) and one chunk's index at a time.
//
// Every record is checked by its CRC before it is given out. Damage anywhere but at the very end of the last chunk is
// ERR_JOURNAL_TAMPERED, reason `log`, at the chunk and offset; at the very end it is what a power cut or a writer at
// work leaves, and reads as "nothing more now".
// Runs of before the chunks keep one plain file a try, logs/<step>.<try>.log: they are read too, each before the
// chunks, with the time of the file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/logs/writer.hpp"

namespace stella::logs {

struct Position {  // between two records: to go on from there later, in another process too
  std::uint32_t chunk = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const Position&) const = default;
};

struct Place {  // a text record of one try, as an index tells it
  Position at{};
  std::uint32_t id = 0;                 // of its stream within the chunk
  std::uint64_t offset = 0, lines = 0;  // of the try before it
};

struct Query {  // what is empty takes everything
  std::string step = {};
  std::optional<int> number = {};          // the try
  std::optional<clock::Time> since = {};   // records of this time and later
  std::optional<std::uint64_t> line = {};  // with step and number: start at the record that holds this line (from 1)
  Position from = {};                      // a Piece's `next`
  // With step and number: start there, when such a record is there; else at the beginning of its chunk.
  std::optional<Place> place = {};
};

struct Piece {  // one record; valid until the next call
  std::string_view step;
  int number = 1;
  Stream stream = Stream::out;
  clock::Time at{};
  std::uint64_t offset = 0;  // of the first byte in the try's text
  std::uint64_t line = 1;    // the number of the first line
  std::string_view bytes;
  bool last = false;  // the try's end, without bytes
  Position next{};
};

struct Extent {  // one try that printed something
  std::string step;
  int number = 1;
  Position first;     // of its first record; chunk 0: a plain file
  std::string plain;  // the plain file's name, or empty
};

class Reader {
 public:
  // A folder that is missing or empty reads as nothing (yet).
  Reader(std::string folder, Query query);
  Reader(Reader&&) noexcept;
  ~Reader();
  // Nothing: there is no more now; call again when a writer may have gone on.
  [[nodiscard]] std::optional<Piece> next();

  struct State;  // of the room

 private:
  std::unique_ptr<State> state_;
};

// The tries that have text, in the order of their first bytes; from the indexes, chunks without a whole one are read.
[[nodiscard]] std::vector<Extent> tries(const std::string& folder);
// The whole text of one try in blocks; the number of bytes.
std::uint64_t stream_text(const std::string& folder, const Extent& one,
                          const std::function<void(std::string_view)>& take);
// The same as a string, for tests and small views; at most `max_bytes` from its start.
[[nodiscard]] std::string text_of(const std::string& folder, const std::string& step, int number,
                                  std::uint64_t max_bytes = 1 << 20);

}  // namespace stella::logs
