// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bundles/canon/fields.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::element;

struct Look {
  std::string_view state, tone, shape;
};
constexpr std::array kLooks = {
    Look{"succeeded", "good", "tick"},     Look{"passed", "good", "tick"},      Look{"open", "good", "tick"},
    Look{"continued", "wrong", "wave"},    Look{"failed", "bad", "cross"},      Look{"rejected", "bad", "cross"},
    Look{"expired", "bad", "clock"},       Look{"cancelled", "skip", "barred"}, Look{"withdrawn", "skip", "barred"},
    Look{"unknown", "wrong", "asks"},      Look{"running", "live", "arrow"},    Look{"waiting", "wait", "diamond"},
    Look{"no-request", "wait", "diamond"}, Look{"paused", "pause", "bars"},     Look{"retrying", "live", "arrow"},
    Look{"skipped", "skip", "dash"},       Look{"pending", "idle", "ring"},     Look{"planned", "idle", "dots"}};

const Look& look_of(const std::string& state) {
  static constexpr Look kLost{"", "lost", "asks"};
  const auto* found = std::find_if(kLooks.begin(), kLooks.end(), [&](const Look& look) { return look.state == state; });
  return found == kLooks.end() ? kLost : *found;
}

Html symbol(const char* id, const Html& content) {
  return element("symbol", {{"id", std::string("m-") + id}, {"viewBox", "0 0 16 16"}}, content);
}
Html path(const char* d) {
  return element("path", {{"d", d}});
}
Html full(const char* d) {
  return element("path", {{"d", d}, {"class", "full"}});
}
Html circle(const char* kind) {
  return element("circle", {{"cx", "8"}, {"cy", "8"}, {"r", "6.5"}, {"class", kind}});
}

}  // namespace

std::string tone_of(const std::string& state) {
  return std::string(look_of(state).tone);
}

std::string shape_name(const std::string& state) {
  return std::string(look_of(state).shape);
}

Html shape(const std::string& state) {
  const Look& look = look_of(state);
  return element("svg",
                 {{"class", fmt::format("mark {}", look.tone)}, {"aria-hidden", "true"}, {"viewBox", "0 0 16 16"}},
                 element("use", {{"href", fmt::format("#m-{}", look.shape)}}));
}

Html badge(const std::string& state) {
  return element("span", {{"class", "badge " + tone_of(state)}}, shape(state), " ", element("b", {}, state));
}

Html shapes() {
  return element(
      "svg", {{"class", "shapes"}, {"aria-hidden", "true"}, {"width", "0"}, {"height", "0"}},
      symbol("tick", circle("full") + element("path", {{"d", "M4.8 8.2l2.2 2.3 4.3-4.8"}, {"class", "cut"}})),
      symbol("cross", full("M5 1h6l4 4v6l-4 4H5l-4-4V5z") +
                          element("path", {{"d", "M5.3 5.3l5.4 5.4m0-5.4l-5.4 5.4"}, {"class", "cut"}})),
      symbol("arrow", circle("drawn") + full("M6.2 4.8v6.4L11.4 8z")),
      symbol("diamond",
             full("M8 .8L15.2 8 8 15.2.8 8z") + element("path", {{"d", "M8 4.6v4m0 2v.9"}, {"class", "cut"}})),
      symbol("bars", circle("drawn") + path("M6.2 5v6m3.6-6v6")), symbol("ring", circle("drawn")),
      symbol("dots", element("circle", {{"cx", "8"}, {"cy", "8"}, {"r", "6.5"}, {"class", "dotted"}})),
      symbol("dash", circle("drawn") + path("M5 8h6")), symbol("barred", circle("drawn") + path("M3.6 12.4l8.8-8.8")),
      symbol("clock", circle("drawn") + path("M8 4.4V8l2.6 1.8")),
      symbol("wave", circle("drawn") + path("M4.6 8.8c1.2-2 2.2-2 3.4-.8s2.2 1.2 3.4-.8")),
      symbol("asks", circle("drawn") + path("M6 6.3a2 2 0 1 1 2.9 1.8c-.7.4-.9.7-.9 1.3m0 1.7v.4")));
}

std::string span_text(clock::Duration span) {
  const std::int64_t ms = std::max<std::int64_t>(0, span.count());
  if (ms < 10000) return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100);
  const std::int64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} m {} s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{} h {} m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

Html moment(const std::string& time) {
  if (time.size() < 20) return time;
  return element("time", {{"datetime", time}}, time.substr(0, 10) + " " + time.substr(11, 8) + " UTC");
}
Html since(const std::string& time, const std::string& text) {
  return element("span", {{"data-since", time}}, text);
}
Html until(const std::string& time, const std::string& text) {
  return element("span", {{"data-until", time}}, text);
}

std::string text_of(const Json& object, const char* name, std::size_t max_bytes) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return {};
  std::string text = found->is_string() ? found->get<std::string>() : canon::canonical(*found);
  if (text.size() > max_bytes) {
    std::size_t cut = max_bytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // not in the middle of a letter
    text = text.substr(0, cut) + "…";
  }
  return text;
}
std::int64_t number_of(const Json& object, const char* name) {
  if (!object.is_object()) return 0;
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
const Json& list_of(const Json& object, const char* name) {
  static const Json kEmpty = Json::array();
  if (!object.is_object()) return kEmpty;
  const auto found = object.find(name);
  return found != object.end() && (found->is_array() || found->is_object()) ? *found : kEmpty;
}

}  // namespace stella::page
