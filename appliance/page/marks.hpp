// SPDX-License-Identifier: Apache-2.0
// How states, times and spans look on a page: a drawn shape, the word, and colour by class, so that no sign stands
// alone. Pure; any thread.
#pragma once

#include <string>

#include "appliance/markup/html.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"

namespace stella::page {

using markup::Html;

// The class of a state of a run, step or gate: good bad wrong live wait pause idle skip lost; `lost` for any other.
[[nodiscard]] std::string tone_of(const std::string& state);
[[nodiscard]] std::string shape_name(const std::string& state);  // of the symbol: #m-NAME
[[nodiscard]] Html shape(const std::string& state);  // drawn; hidden from readers, as the word stands beside it
[[nodiscard]] Html badge(const std::string& state);  // shape and word
[[nodiscard]] Html shapes();                         // what shape() refers to; once on a page

[[nodiscard]] std::string span_text(clock::Duration span);  // `0.4 s`, `45 s`, `3 m 20 s`, `2 h 5 m`
// A moment as `2026-11-28 15:41:29 UTC`; empty for an empty text.
[[nodiscard]] Html moment(const std::string& time);
// Counts up or down on the page when there is a script; `text` until then.
[[nodiscard]] Html since(const std::string& time, const std::string& text);
[[nodiscard]] Html until(const std::string& time, const std::string& text);

// A member as text: strings as they are, other values as JSON, absent and null empty; at most `max_bytes`.
[[nodiscard]] std::string text_of(const canon::Json& object, const char* name, std::size_t max_bytes = 2000);
[[nodiscard]] std::int64_t number_of(const canon::Json& object, const char* name);
// An array or object member; one shared empty value when it is absent.
[[nodiscard]] const canon::Json& list_of(const canon::Json& object, const char* name);

}  // namespace stella::page
