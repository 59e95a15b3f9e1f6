// SPDX-License-Identifier: Apache-2.0
// What the steps of one run print, in chunk files that all of them share: logs/000001.chunk, the next one after 16 MiB,
// each with a sparse index beside it (docs/formats/logs.md). The bytes are redacted before they come here.
//
// A Writer may be used by several threads at once; there is one per run (the run's lock sees to that). A Try belongs to
// one thread and must not outlive its Writer. A step that prints nothing costs nothing: no file, no record, no fsync.
//
// Durable is what was appended before the last sync(): one fdatasync for all of it, whoever wrote it. Call it before a
// journal commit that names digests of log bytes. Errors: ERR_NO_SPACE, ERR_MEDIA_GONE from the disk; a write that
// failed leaves no part of itself behind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bundles/canon/digest.hpp"
#include "bundles/clock/time.hpp"

namespace stella::logs {

enum class Stream : std::uint8_t { out = 0, err = 1 };

struct Part {  // a stretch of one try's text: what `pack.step.output` says
  std::uint64_t offset = 0, size_bytes = 0;
  std::string digest;  // sha256:HEX of these bytes
};
struct Whole {  // of one try's whole text, out and err as they came
  std::uint64_t size_bytes = 0, lines = 0;
  std::string digest;  // sha256:HEX; of no bytes when there were none
};

class Writer;

// One start of one step: its place in the log. Made by Writer::begin.
class Try {
 public:
  Try(Try&&) noexcept;
  Try& operator=(Try&&) noexcept;
  ~Try();
  // Seen by readers when it returns. Give whole lines, as many at once as there are. Times never go back within a run:
  // an earlier one counts as the latest so far.
  void append(Stream stream, std::string_view bytes, clock::Time at);
  [[nodiscard]] std::uint64_t size_bytes() const noexcept;
  // What came since the last part; size 0 when nothing did.
  [[nodiscard]] Part part();
  // Marks the end for readers. Call it once, after the last append.
  [[nodiscard]] Whole finish(clock::Time at);

  struct State;  // of the room

 private:
  friend class Writer;
  explicit Try(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Writer {
 public:
  struct Limits {
    std::uint64_t chunk_bytes = 16 << 20;  // a chunk that is longer gets no more records
    std::uint64_t index_every = 64 << 10;  // bytes of one try between two entries of the index
  };
  // `folder` is the run's logs/, made when missing. What a power cut left torn at the end of the last chunk is cut off,
  // and its index is made anew where it does not fit. ERR_JOURNAL_TAMPERED reason `log` for a chunk that is none.
  static Writer open(const std::string& folder, Limits limits);
  static Writer open(const std::string& folder) { return open(folder, Limits()); }
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  // `number` is the step's try, from 1; the same one is begun once.
  [[nodiscard]] Try begin(const std::string& step, int number);
  // Nothing is done when nothing was appended since the last call.
  void sync();

  struct State;  // of the room

 private:
  explicit Writer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stella::logs
