// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/state_mark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stella::cli {
namespace {

enum class Tone { plain, good, bad, strong, faint };
struct Look {
  std::string_view state, shape;
  Tone tone;
};
// States of runs, steps and gates.
constexpr std::array kLooks = {
    Look{"succeeded", "✓", Tone::good},   Look{"passed", "✓", Tone::good},    Look{"open", "✓", Tone::good},
    Look{"continued", "~", Tone::bad},    Look{"failed", "✗", Tone::bad},     Look{"rejected", "✗", Tone::bad},
    Look{"expired", "⊗", Tone::bad},      Look{"cancelled", "⊘", Tone::bad},  Look{"withdrawn", "⊘", Tone::bad},
    Look{"unknown", "?", Tone::bad},      Look{"running", "▶", Tone::strong}, Look{"waiting", "◇", Tone::strong},
    Look{"no-request", "◇", Tone::plain}, Look{"paused", "‖", Tone::strong},  Look{"retrying", "↻", Tone::strong},
    Look{"skipped", "-", Tone::faint},    Look{"pending", "○", Tone::faint},  Look{"planned", "○", Tone::plain}};

const Look* find_look(const std::string& state) {
  const auto* found = std::find_if(kLooks.begin(), kLooks.end(), [&](const Look& look) { return look.state == state; });
  return found == kLooks.end() ? nullptr : &*found;
}

}  // namespace

std::string shape_of(const std::string& state) {
  const Look* look = find_look(state);
  return look == nullptr ? "?" : std::string(look->shape);
}

std::string in_colour_of(const Output& out, const std::string& state, const std::string& text) {
  const Look* look = find_look(state);
  switch (look == nullptr ? Tone::plain : look->tone) {
    case Tone::good:
      return out.good(text);
    case Tone::bad:
      return out.bad(text);
    case Tone::strong:
      return out.strong(text);
    case Tone::faint:
      return out.faint(text);
    case Tone::plain:
      break;
  }
  return text;
}

std::string marked(const Output& out, const std::string& state) {
  return in_colour_of(out, state, fmt::format("{} {}", shape_of(state), state));
}

std::string age_text(clock::Duration age) {
  const std::int64_t seconds = std::max<std::int64_t>(0, age.count() / 1000);
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} m", seconds / 60);
  if (seconds < 86400) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

std::string span_text(clock::Duration span) {
  const double seconds = static_cast<double>(std::max<std::int64_t>(0, span.count())) / 1000;
  return seconds < 10 ? fmt::format("{:.1f} s", seconds) : clock::format_duration(span);
}

}  // namespace stella::cli
