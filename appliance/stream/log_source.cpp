// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "appliance/logs/end.hpp"
#include "appliance/stream/source.hpp"

namespace stella::stream {
namespace {

constexpr std::size_t kPart = 16 << 10;  // in JSON at most six times as much

logs::Query query_for(const std::string& step, const Mark& after) {
  return {.step = step, .from = {static_cast<std::uint32_t>(after.first), after.offset}};
}

// Where to cut: after the last newline within, else before the last whole UTF-8 character.
std::size_t cut_of(std::string_view text) {
  if (text.size() <= kPart) return text.size();
  const auto newline = text.rfind('\n', kPart - 1);
  if (newline != std::string_view::npos) return newline + 1;
  std::size_t cut = kPart;
  while (cut > kPart - 4 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return cut;
}

class Logs : public Source {
 public:
  Logs(const std::string& folder, const std::string& step, const Mark& after) : pieces_(folder, step, after) {}
  std::optional<Message> next() override {
    const auto piece = pieces_.next();
    if (!piece) return std::nullopt;
    // Steps print what they like: bytes that are no UTF-8 become U+FFFD.
    return Message{fmt::format("id: {}\ndata: {}\n\n", text_of(Kind::logs, piece->end),
                               piece->data.dump(-1, ' ', false, canon::Json::error_handler_t::replace)),
                   piece->end};
  }

 private:
  LogPieces pieces_;
};

}  // namespace

LogPieces::LogPieces(const std::string& folder, const std::string& step, const Mark& after)
    : reader_(folder, query_for(step, after)), at_(after), skip_(after.within) {}

void LogPieces::take(const logs::Piece& piece) {
  const Mark end{piece.next.chunk, piece.next.offset, 0};
  canon::Json data = {{"step", piece.step}, {"try", piece.number}, {"at", clock::format_millis(piece.at)}};
  if (piece.last) {
    data["end"] = true;
    due_.push_back({end, std::move(data)});
    return;
  }
  data["stream"] = piece.stream == logs::Stream::err ? "err" : "out";
  std::string_view rest = piece.bytes;
  std::uint64_t line = piece.line, within = 0;
  // Where this record stands: a part's mark is counted from there.
  const std::uint64_t place = piece.next.chunk == 0 ? 0 : piece.next.offset - logs::kRecordHead - piece.bytes.size();
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, cut_of(rest));
    rest.remove_prefix(part.size());
    within += part.size();
    if (within > skip_) {
      data["line"] = line;
      data["text"] = part;
      due_.push_back({rest.empty() ? end : Mark{end.first, place, within}, data});
    }
    line += static_cast<std::uint64_t>(std::ranges::count(part, '\n'));
  }
  skip_ = 0;
}

std::optional<LogPiece> LogPieces::next() {
  while (due_.empty()) {
    const auto piece = reader_.next();
    if (!piece) return std::nullopt;
    take(*piece);
  }
  LogPiece piece = std::move(due_.front());
  due_.pop_front();
  at_ = piece.end;
  return piece;
}

std::unique_ptr<Source> log_source(const std::string& folder, const std::string& step, const Mark& after) {
  return std::make_unique<Logs>(folder, step, after);
}

Mark mark_near_end(const std::string& folder, std::uint64_t small_bytes) {
  const logs::Position end = logs::end_of(folder);
  if (end.chunk <= 1 && end.offset <= small_bytes) return {};
  logs::Reader reader(folder, {.from = {end.chunk, 0}});
  Mark mark{end.chunk, 0, 0};
  while (const auto piece = reader.next()) mark = {piece->next.chunk, piece->next.offset, 0};
  return mark;
}

}  // namespace stella::stream
