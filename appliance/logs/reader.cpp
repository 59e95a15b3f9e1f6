// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "appliance/logs/chunk.hpp"
#include "appliance/logs/plain.hpp"
#include "bundles/files/read.hpp"

namespace stella::logs {
namespace {

constexpr std::uint64_t kEvery = 64 << 10;

std::uint64_t size_at(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) ? static_cast<std::uint64_t>(found.st_size) : 0;
}

// The entries of a chunk; read from the chunk itself when its index does not do. Of the chunk that a writer still
// fills, the index may lag behind: the scan of the chunk goes on from its last entry.
std::vector<Entry> entries_of(const std::string& folder, std::uint32_t chunk, bool closed) {
  const std::string path = folder + "/" + chunk_name(chunk);
  if (closed) {
    if (auto entries = load_index(folder + "/" + index_name(chunk), size_at(path))) return std::move(*entries);
  }
  return scan_chunk(path, kEvery).entries;
}

}  // namespace

struct Reader::State {
  std::string folder;
  Query query;
  std::vector<Plain> plain{};  // those still to be read, the last one first
  std::optional<PlainText> text{};
  std::uint32_t chunk = 0;  // 0: not chosen yet
  Cursor cursor{};
  Standing standing{};
  std::string payload{}, step{};
  bool done = false;

  [[nodiscard]] bool is_one() const { return !query.step.empty() && query.number.has_value(); }
  bool choose();
  bool open_chunk_at(std::uint32_t number);
  bool start_at(files::Fd& fd, const Place& place);
  bool advance();
  std::uint64_t place_to_start(std::uint32_t number) const;
  bool is_skippable(std::uint32_t number) const;
  std::optional<Piece> piece(const Standing::One& before);
  std::optional<Piece> next_plain();
};

// Whether nothing of chunk `number` is asked for; only chunks that get no more records are skipped.
bool Reader::State::is_skippable(std::uint32_t number) const {
  if (number < query.from.chunk) return true;
  if (query.since) {
    if (Cursor first(open_chunk(folder, number + 1), kChunkMagic.size());
        first.next() == Found::record && first.head().at < *query.since)
      return true;
  }
  if (query.step.empty()) return false;
  const auto entries = entries_of(folder, number, true);
  return std::none_of(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.step_key == key_of(query.step) && (!query.number || entry.number == *query.number);
  });
}

// Of one try: the declaration, or the last entry before what is asked for. Its own entry tells where it stands.
std::uint64_t Reader::State::place_to_start(std::uint32_t number) const {
  std::uint64_t place = kChunkMagic.size();
  if (!is_one()) return place;
  if (query.from.chunk == number && query.from.offset > 0 && query.from.offset != place && !query.line) return place;
  for (const Entry& entry : entries_of(folder, number, size_at(folder + "/" + chunk_name(number + 1)) > 0)) {
    if (entry.step_key == key_of(query.step) && entry.number == *query.number && entry.kind == Kind::declare)
      return entry.place;
  }
  return place;
}

// An index proves nothing: the record must be there, of that stream. False: it is not.
bool Reader::State::start_at(files::Fd& fd, const Place& place) {
  Cursor probe(open_chunk(folder, place.at.chunk), place.at.offset);
  if (!probe || probe.next() != Found::record || probe.head().kind != Kind::text || probe.head().id != place.id)
    return false;
  standing.put(place.id, {key_of(query.step), query.step, *query.number, place.offset, place.lines, place.offset});
  cursor = Cursor(std::move(fd), place.at.offset);
  return true;
}

bool Reader::State::open_chunk_at(std::uint32_t number) {
  const std::string path = folder + "/" + chunk_name(number);
  files::Fd fd = open_chunk(folder, number);
  if (!fd || files::size_of(fd) < kChunkMagic.size()) return false;
  std::string magic(kChunkMagic.size(), '\0');
  if (::pread(fd.get(), magic.data(), magic.size(), 0) != static_cast<ssize_t>(magic.size())) return false;
  if (magic != kChunkMagic) {
    if (magic.find_first_not_of('\0') == std::string::npos) return false;
    throw damaged(path, 0, "is no log chunk");
  }
  chunk = number;
  standing.clear();
  if (query.place && query.place->at.chunk == number && is_one() && start_at(fd, *query.place)) return true;
  cursor = Cursor(std::move(fd), place_to_start(number));
  return true;
}

bool Reader::State::choose() {
  const auto chunks = chunks_in(folder);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (i + 1 < chunks.size() && is_skippable(chunks[i])) continue;
    return chunks[i] >= query.from.chunk && open_chunk_at(chunks[i]);
  }
  return false;
}

// To the next record: of this chunk, or of one that follows. What was written here before a following chunk could be
// seen is found by a second look at this one.
bool Reader::State::advance() {
  for (;;) {
    if (cursor.next() == Found::record) return true;
    const auto chunks = chunks_in(folder);
    if (chunks.empty() || chunks.back() <= chunk) return false;
    const Found last = cursor.next();
    if (last == Found::record) return true;
    if (last != Found::end)
      throw damaged(folder + "/" + chunk_name(chunk), cursor.place(), "is damaged or cut off before its end");
    const auto following = std::find_if(chunks.begin(), chunks.end(), [&](std::uint32_t number) {
      return number > chunk && (number == chunks.back() || !is_skippable(number));
    });
    if (following == chunks.end() || !open_chunk_at(*following)) return false;
  }
}

std::optional<Piece> Reader::State::piece(const Standing::One& before) {
  const Head& head = cursor.head();
  const bool wanted =
      (query.step.empty() || before.step == query.step) && (!query.number || before.number == *query.number);
  const bool last = head.kind == Kind::end;
  if (last && wanted && is_one()) done = true;
  if (!wanted || head.kind == Kind::declare) return std::nullopt;
  if (Position{chunk, cursor.place()} < query.from || (query.since && head.at < *query.since)) return std::nullopt;
  const std::string_view bytes = last ? std::string_view() : cursor.payload();
  if (query.line && !last && before.lines + count_lines(bytes) + 1 < *query.line) return std::nullopt;
  step = before.step;
  return Piece{step, before.number,          head.stream, head.at, before.offset, before.lines + 1, bytes,
               last, {chunk, cursor.after()}};
}

std::optional<Piece> Reader::State::next_plain() {
  while (text || !plain.empty()) {
    if (!text) {
      text.emplace(folder, std::move(plain.back()));
      plain.pop_back();
    }
    if (auto found = text->next()) return found;
    text.reset();
  }
  return std::nullopt;
}

Reader::Reader(std::string folder, Query query)
    : state_(std::make_unique<State>(State{.folder = std::move(folder), .query = std::move(query)})) {
  if (state_->query.from.chunk > 0) return;
  for (Plain& one : plain_logs(state_->folder)) {
    const Query& asked = state_->query;
    if ((asked.step.empty() || one.step == asked.step) && (!asked.number || one.number == *asked.number) &&
        (!asked.since || one.at >= *asked.since))
      state_->plain.push_back(std::move(one));
  }
  std::reverse(state_->plain.begin(), state_->plain.end());
}
Reader::Reader(Reader&&) noexcept = default;
Reader::~Reader() = default;

std::optional<Piece> Reader::next() {
  if (auto found = state_->next_plain()) return found;
  if (state_->done || (!state_->cursor && !state_->choose())) return std::nullopt;
  while (state_->advance()) {
    const Standing::One* before = state_->standing.take(state_->cursor.head(), state_->cursor.payload());
    if (before == nullptr && state_->is_one()) continue;  // of a try that was declared before our start
    if (before == nullptr)
      throw damaged(state_->folder + "/" + chunk_name(state_->chunk), state_->cursor.place(), "has a stray record");
    if (auto piece = state_->piece(*before)) return piece;
    if (state_->done) return std::nullopt;
  }
  return std::nullopt;
}

std::vector<Extent> tries(const std::string& folder) {
  std::vector<Extent> found;
  std::map<std::pair<std::string, int>, bool> seen;
  for (const Plain& one : plain_logs(folder)) {
    if (size_at(folder + "/" + one.name) == 0 || !seen.emplace(std::pair(one.step, one.number), true).second) continue;
    found.push_back({one.step, one.number, {}, one.name});
  }
  const auto chunks = chunks_in(folder);
  for (const std::uint32_t chunk : chunks) {
    const files::Fd probe = open_chunk(folder, chunk);
    if (!probe || files::size_of(probe) <= kChunkMagic.size()) continue;
    for (const Entry& entry : entries_of(folder, chunk, chunk != chunks.back())) {
      if (entry.kind != Kind::declare) continue;
      Cursor cursor(open_chunk(folder, chunk), entry.place);
      const bool is_declared = cursor.next() == Found::record && cursor.head().kind == Kind::declare;
      const auto declared = is_declared ? parse_declare(cursor.payload()) : std::nullopt;
      if (!declared) throw damaged(folder + "/" + chunk_name(chunk), entry.place, "is not what its index says");
      if (!seen.emplace(std::pair(declared->step, declared->number), true).second) continue;
      found.push_back({declared->step, declared->number, {chunk, entry.place}, {}});
    }
  }
  return found;
}

std::uint64_t stream_text(const std::string& folder, const Extent& one,
                          const std::function<void(std::string_view)>& take) {
  std::uint64_t total = 0;
  if (!one.plain.empty()) {
    const files::Fd fd = files::open_input(folder + "/" + one.plain,
                                           {std::uint64_t{1} << 40, files::Empty::allow, files::Links::refuse});
    files::stream_input(fd, one.plain, std::uint64_t{1} << 40, [&](std::string_view bytes) {
      total += bytes.size();
      take(bytes);
    });
    return total;
  }
  Reader reader(folder, {.step = one.step, .number = one.number, .from = {one.first.chunk, 0}});
  while (const auto piece = reader.next()) {
    total += piece->bytes.size();
    take(piece->bytes);
  }
  return total;
}

std::string text_of(const std::string& folder, const std::string& step, int number, std::uint64_t max_bytes) {
  std::string text;
  Reader reader(folder, {.step = step, .number = number});
  while (const auto piece = reader.next()) {
    text += piece->bytes.substr(0, max_bytes - text.size());
    if (text.size() >= max_bytes) break;
  }
  return text;
}

}  // namespace stella::logs
