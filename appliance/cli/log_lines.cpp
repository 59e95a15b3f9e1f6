// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/log_lines.hpp"

namespace stella::cli {
namespace {

constexpr std::size_t kMaxHeld = 64 << 10;

}  // namespace

void LogLines::give(const Key& key, Held& held, const Take& take) {
  take({std::get<0>(key), std::get<1>(key), std::get<2>(key), held.at, held.line, held.text});
  held.text.clear();
}

void LogLines::add(const logs::Piece& piece, const Take& take) {
  const std::string step(piece.step);
  if (piece.last) {
    for (const auto stream : {logs::Stream::out, logs::Stream::err}) {
      const auto found = held_.find({step, piece.number, stream});
      if (found == held_.end()) continue;
      give(found->first, found->second, take);
      held_.erase(found);
    }
    return;
  }
  const Key key{step, piece.number, piece.stream};
  std::string_view rest = piece.bytes;
  std::uint64_t line = piece.line;
  if (const auto found = held_.find(key); found != held_.end()) {
    const auto end = rest.find('\n');
    found->second.text += rest.substr(0, end);
    if (end != std::string_view::npos || found->second.text.size() >= kMaxHeld) {
      give(key, found->second, take);
      held_.erase(found);
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    line += end == std::string_view::npos ? 0 : 1;
  }
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; ++line) {
    take({step, piece.number, piece.stream, piece.at, line, rest.substr(0, end)});
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty()) held_[key] = {std::string(rest), piece.at, line};
}

void LogLines::finish(const Take& take) {
  for (auto& [key, held] : held_) give(key, held, take);
  held_.clear();
}

}  // namespace stella::cli
