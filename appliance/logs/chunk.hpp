// SPDX-License-Identifier: Apache-2.0
// Walking through one chunk, and its index; only this room includes it. One thread.
#pragma once

#include <map>
#include <vector>

#include "appliance/logs/frame.hpp"
#include "bundles/files/fd.hpp"

namespace stella::logs {

enum class Found {
  record,
  end,      // nothing follows
  torn,     // less than a record follows
  damaged,  // what follows is no record
};

// Reads records one after the other, each checked by its crc. After anything but `record` the next call looks at the
// same place again with fresh bytes.
class Cursor {
 public:
  Cursor() = default;
  Cursor(files::Fd fd, std::uint64_t place) : fd_(std::move(fd)), place_(place), next_(place) {}
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  Found next();
  [[nodiscard]] const Head& head() const noexcept { return head_; }
  [[nodiscard]] std::string_view payload() const noexcept { return payload_; }  // until the next call
  [[nodiscard]] std::uint64_t place() const noexcept { return place_; }         // of this record
  [[nodiscard]] std::uint64_t after() const noexcept { return next_; }

 private:
  std::string_view peek(std::size_t length);
  files::Fd fd_;
  std::uint64_t place_ = 0, next_ = 0, buffered_at_ = 0;
  std::string buffer_;
  std::size_t block_ = 16 << 10;  // grows: a short try is read with one small read
  Head head_;
  std::string_view payload_;
};

// Where each try of a chunk stands, record by record.
class Standing {
 public:
  struct One {
    std::uint64_t step_key = 0;
    std::string step;
    int number = 1;
    std::uint64_t offset = 0, lines = 0, indexed = 0;
  };
  // The try as it stood before this record; null for an id that was not declared, or a record that does not fit.
  const One* take(const Head& head, std::string_view payload);
  void forget(std::uint32_t id) { open_.erase(id); }
  // As if it had been declared before: what an index tells of a try.
  void put(std::uint32_t id, One one) { open_[id] = std::move(one); }
  void clear() { open_.clear(); }
  // The entry for a record that take() has just seen, when one is due.
  std::optional<Entry> due(const Head& head, std::uint64_t place, const One& before, std::uint64_t every);

 private:
  std::map<std::uint32_t, One> open_;
  One before_;
};

struct Scan {
  std::vector<Entry> entries;  // without `closed`
  std::uint64_t good = 0;      // bytes up to the last whole record; 0: not even the chunk's first bytes
  std::uint32_t last_id = 0;
  clock::Time latest{};
};
// The whole chunk from its start. ERR_JOURNAL_TAMPERED reason `log` when it is no chunk.
[[nodiscard]] Scan scan_chunk(const std::string& path, std::uint64_t index_every);

// The entries of a chunk's index; nothing when it is missing or damaged or, of a chunk of `closed_size` bytes that gets
// no more records, not whole.
[[nodiscard]] std::optional<std::vector<Entry>> load_index(const std::string& path, std::uint64_t closed_size);

// The chunk's file for reading; empty when there is none.
[[nodiscard]] files::Fd open_chunk(const std::string& folder, std::uint32_t number);
// ERR_JOURNAL_TAMPERED reason `log`.
[[nodiscard]] fault::Error damaged(const std::string& path, std::uint64_t place, const std::string& what);
[[nodiscard]] std::uint64_t count_lines(std::string_view bytes) noexcept;
// The numbers of the chunks in `folder`, ascending.
[[nodiscard]] std::vector<std::uint32_t> chunks_in(const std::string& folder);

}  // namespace stella::logs
