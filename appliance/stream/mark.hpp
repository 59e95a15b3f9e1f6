// SPDX-License-Identifier: Apache-2.0
// Where a viewer of a run stands: the id of an SSE message. It names a place in the journal or in the log chunks, so
// that it means the same to every server, before and after a restart. Any thread.
//
// Of events: `57`, the event's number. Of logs: `3.81920`, the place in chunk 3 after a record, or `3.81920.512`: 512
// bytes into the record that stands there.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stella::stream {

enum class Kind { events, logs };

struct Mark {
  std::uint64_t first = 0, offset = 0, within = 0;  // events: seq, 0, 0; logs: chunk, offset, bytes into the record
  auto operator<=>(const Mark&) const = default;
};

[[nodiscard]] std::string text_of(Kind kind, const Mark& mark);
// Nothing for a text that is no id of this kind.
[[nodiscard]] std::optional<Mark> parse_mark(Kind kind, std::string_view text);

}  // namespace stella::stream
