// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/lines.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "appliance/logs/chunk.hpp"
#include "appliance/logs/plain.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"

namespace stella::logs {
namespace {

constexpr std::uint64_t kEvery = 64 << 10;

// Where to begin for line `from`, and the last record of the try that an index names.
struct Anchors {
  std::optional<Place> start, last;
};

// Its line is whole only after a newline: a record may begin within a line, unless it is the try's first.
bool is_before(const Place& place, std::uint64_t from) {
  return place.offset == 0 || place.lines + 1 < from;
}

void take_entries(Anchors& anchors, const OneTry& one, std::uint32_t chunk, const std::vector<Entry>& entries,
                  std::uint64_t from) {
  for (const Entry& entry : entries) {
    if (entry.step_key != key_of(one.step) || entry.number != one.number) continue;
    // A declaration is read as it stands: offset 0 of the chunk leads to it.
    const bool text = entry.kind == Kind::text;
    const Place place{{chunk, text ? entry.place : 0}, entry.id, entry.offset, entry.line};
    anchors.last = place;
    if (is_before(place, from)) anchors.start = place;
  }
}

// After a power cut an index may name records that the chunk lost.
void drop_what_is_lost(std::vector<Entry>& entries, const OneTry& one, std::uint32_t chunk) {
  const auto is_there = [&](const Entry& entry) {
    Cursor probe(open_chunk(one.folder, chunk), entry.place);
    return probe && probe.next() == Found::record && probe.head().kind == entry.kind && probe.head().id == entry.id;
  };
  while (!entries.empty() && !is_there(entries.back())) entries.pop_back();
}

// One index at a time. The index of the last chunk may lag behind, and whoever reads on from what it has finds the
// rest; a full chunk whose index does not do is read instead.
Anchors anchors_of(const OneTry& one, std::uint64_t from) {
  Anchors anchors;
  const auto chunks = chunks_in(one.folder);
  for (const std::uint32_t chunk : chunks) {
    const bool is_last = chunk == chunks.back();
    const files::Fd fd = open_chunk(one.folder, chunk);
    if (!fd || files::size_of(fd) <= kChunkMagic.size()) continue;
    auto entries = load_index(one.folder + "/" + index_name(chunk), is_last ? 0 : files::size_of(fd));
    if (!entries && !is_last) entries = scan_chunk(one.folder + "/" + chunk_name(chunk), kEvery).entries;
    if (entries && is_last) drop_what_is_lost(*entries, one, chunk);
    if (entries) take_entries(anchors, one, chunk, *entries, from);
  }
  return anchors;
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

Query query_of(const OneTry& one, const std::optional<Place>& start) {
  Query query{.step = one.step, .number = one.number};
  if (!start) return query;
  query.from = {start->at.chunk, 0};
  if (start->at.offset > 0) query.place = start;
  return query;
}

Anchors anchors_if_chunked(const OneTry& one, std::uint64_t from) {
  return has_plain(one) ? Anchors{} : anchors_of(one, from);
}

// From the last place that an index knows to the end: the last lines, as far as they are whole there.
Stretch read_tail(const OneTry& one, const std::optional<Place>& last, std::size_t count) {
  Stretch stretch;
  bool may_be_part = last && last->offset > 0;  // it may begin within a line
  std::deque<TextLine> lines;
  const Walked walked = walk(one, query_of(one, last), [&](const TextLine& line) {
    if (std::exchange(may_be_part, false) || count == 0) return true;
    if (lines.size() == count) lines.pop_front();
    lines.push_back(line);
    return true;
  });
  stretch.total = walked.lines == 0 && last ? last->lines : walked.lines;
  stretch.has_ended = walked.has_ended;
  stretch.lines.assign(std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
  return stretch;
}

Stretch read_from(const OneTry& one, std::uint64_t from, std::size_t count) {
  const Anchors anchors = anchors_if_chunked(one, from);
  Stretch stretch;
  const Walked walked = walk(one, query_of(one, anchors.start), [&](const TextLine& line) {
    if (stretch.lines.size() >= count) return false;
    if (line.number >= from) stretch.lines.push_back(line);
    return true;
  });
  if (walked.is_whole && walked.lines > 0) {
    stretch.total = walked.lines;
    stretch.has_ended = walked.has_ended;
    return stretch;
  }
  const Stretch tail = read_tail(one, anchors.last, 0);
  stretch.total = tail.total;
  stretch.has_ended = tail.has_ended;
  return stretch;
}

}  // namespace

Stretch read_lines(const OneTry& one, std::uint64_t from, std::size_t count) {
  return read_from(one, std::max<std::uint64_t>(1, from), count);
}

Stretch read_end(const OneTry& one, std::size_t count) {
  Stretch tail = read_tail(one, anchors_if_chunked(one, 1).last, count);
  if (tail.lines.size() >= std::min<std::uint64_t>(count, tail.total)) return tail;
  return read_from(one, tail.total > count ? tail.total - count + 1 : 1, count);
}

std::vector<std::string> last_lines(const OneTry& one, std::size_t count, std::size_t max_bytes) {
  std::vector<std::string> lines;
  for (const TextLine& line : read_end(one, count).lines) lines.push_back(canon::printable(line.text, max_bytes));
  return lines;
}

std::uint64_t count_lines_of(const OneTry& one) {
  return read_lines(one, 1, 0).total;
}

void for_each_line(const OneTry& one, const std::function<bool(const TextLine&)>& take) {
  walk(one, query_of(one, std::nullopt), take);
}

}  // namespace stella::logs
