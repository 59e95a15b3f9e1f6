// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/lines.hpp"

#include <algorithm>

#include "appliance/logs/chunk.hpp"
#include "appliance/logs/plain.hpp"
#include "bundles/files/read.hpp"

namespace stella::logs {
namespace {

struct Start {  // a chunk that holds text of the try, and the lines before it
  std::uint32_t chunk = 0;
  std::uint64_t lines = 0;
};

// Empty: not in this chunk. The index may lag behind in the chunk that is being filled.
std::optional<Start> start_in(const OneTry& one, std::uint32_t chunk, bool is_last) {
  const auto found_in = [&](const std::vector<Entry>& entries) -> std::optional<Start> {
    for (const Entry& entry : entries) {
      if (entry.step_key == key_of(one.step) && entry.number == one.number && entry.kind == Kind::declare)
        return Start{chunk, entry.line};
    }
    return std::nullopt;
  };
  const std::string path = one.folder + "/" + chunk_name(chunk);
  const files::Fd fd = open_chunk(one.folder, chunk);
  if (!fd || files::size_of(fd) <= kChunkMagic.size()) return std::nullopt;
  const auto entries = load_index(one.folder + "/" + index_name(chunk), is_last ? 0 : files::size_of(fd));
  if (entries) {
    if (const auto found = found_in(*entries)) return found;
    if (!is_last) return std::nullopt;
  }
  return found_in(scan_chunk(path, std::uint64_t{64} << 10).entries);
}

std::vector<Start> starts_of(const OneTry& one) {
  std::vector<Start> starts;
  const auto chunks = chunks_in(one.folder);
  for (const std::uint32_t chunk : chunks) {
    if (const auto found = start_in(one, chunk, chunk == chunks.back())) starts.push_back(*found);
  }
  return starts;
}

// Makes lines of records. A line may come in several; both streams count as one text.
class Splitter {
 public:
  using Take = std::function<bool(const TextLine&)>;
  explicit Splitter(const Take& take) : take_(&take) {}

  // False: `take` wants no more.
  bool add(const Piece& piece) {
    if (piece.last) return true;
    std::string_view rest = piece.bytes;
    if (!open_) number_ = piece.line;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      put(piece, rest.substr(0, end));
      if (end == std::string_view::npos) return true;
      rest.remove_prefix(end + 1);
      if (!give()) return false;
    }
    return true;
  }
  bool finish() { return !open_ || give(); }
  [[nodiscard]] std::uint64_t seen() const noexcept { return open_ ? number_ : number_ - 1; }

 private:
  void put(const Piece& piece, std::string_view bytes) {
    if (!open_) line_ = {.number = number_, .stream = piece.stream, .at = piece.at};
    open_ = true;
    const std::size_t room = kMaxLineShown - std::min(kMaxLineShown, line_.text.size());
    line_.text += bytes.substr(0, room);
    line_.left_out += bytes.size() - std::min(bytes.size(), room);
  }
  bool give() {
    open_ = false;
    ++number_;
    return (*take_)(line_);
  }

  const Take* take_;
  bool open_ = false;
  std::uint64_t number_ = 1;
  TextLine line_;
};

bool has_plain(const OneTry& one) {
  const auto all = plain_logs(one.folder);
  return std::any_of(all.begin(), all.end(),
                     [&](const Plain& plain) { return plain.step == one.step && plain.number == one.number; });
}

// All lines from the beginning of what `query` starts at; {lines seen, ended}.
struct Walked {
  std::uint64_t lines = 0;
  bool has_ended = false, is_whole = true;
};
Walked walk(const OneTry& one, Query query, const Splitter::Take& take) {
  Splitter splitter(take);
  Reader reader(one.folder, std::move(query));
  Walked walked;
  while (const auto piece = reader.next()) {
    walked.has_ended = walked.has_ended || piece->last;
    if (splitter.add(*piece)) continue;
    walked.is_whole = false;
    break;
  }
  if (walked.is_whole) splitter.finish();
  walked.lines = splitter.seen();
  return walked;
}

Query query_of(const OneTry& one, const Start& start, std::uint64_t line) {
  Query query{.step = one.step, .number = one.number};
  if (start.chunk > 0) query.from = {start.chunk, 0};
  if (line > 1) query.line = line;
  return query;
}

Stretch read_from(const OneTry& one, const std::vector<Start>& starts, std::uint64_t from, std::size_t count) {
  Stretch stretch;
  Start start;
  for (const Start& each : starts) {
    if (each.lines < from) start = each;
  }
  const auto take = [&](const TextLine& line) {
    if (stretch.lines.size() >= count) return false;
    if (line.number >= from) stretch.lines.push_back(line);
    return true;
  };
  Walked walked = walk(one, query_of(one, start, from), take);
  if (!walked.is_whole || walked.lines == 0) {
    const Start last = starts.empty() ? Start{} : starts.back();
    walked = walk(one, query_of(one, last, 0), [](const TextLine&) { return true; });
    walked.lines = std::max(walked.lines, last.lines);
  }
  stretch.total = walked.lines;
  stretch.has_ended = walked.has_ended;
  return stretch;
}

std::vector<Start> starts_if_chunked(const OneTry& one) {
  return has_plain(one) ? std::vector<Start>{} : starts_of(one);
}

}  // namespace

Stretch read_lines(const OneTry& one, std::uint64_t from, std::size_t count) {
  return read_from(one, starts_if_chunked(one), std::max<std::uint64_t>(1, from), count);
}

Stretch read_end(const OneTry& one, std::size_t count) {
  const auto starts = starts_if_chunked(one);
  const std::uint64_t total = read_from(one, starts, 1, 0).total;
  return read_from(one, starts, total > count ? total - count + 1 : 1, count);
}

std::uint64_t count_lines_of(const OneTry& one) {
  return read_lines(one, 1, 0).total;
}

void for_each_line(const OneTry& one, const std::function<bool(const TextLine&)>& take) {
  walk(one, query_of(one, {}, 0), take);
}

}  // namespace stella::logs
