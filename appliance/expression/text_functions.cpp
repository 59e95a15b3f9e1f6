// SPDX-License-Identifier: Apache-2.0
// contains ends_with join length reverse starts_with to_string: strings, and what strings share with arrays.
// Strings are counted and turned by code points.
#include <string.h>

#include <algorithm>

#include "appliance/expression/function.hpp"

namespace stella::expression {
namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

Value string(const Call& call, std::string text) {
  call.meter().memory(64 + text.size());
  call.meter().text(text.size());
  return call.evaluation().make(std::move(text));
}

std::string reversed(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t end = text.size(); end > 0;) {
    std::size_t first = end - 1;
    while (first > 0 && !begins_character(text[first])) --first;
    out.append(text, first, end - first);
    end = first;
  }
  return out;
}

}  // namespace

Value act_contains(const Call& call) {
  if (call.json(0).is_string()) {
    if (!call.json(1).is_string()) return Evaluation::truth(false);
    const std::string &text = call.text(0), &part = call.text(1);
    call.meter().text(text.size() + part.size());
    // memmem is linear whatever the two hold; std::string::find is not.
    return Evaluation::truth(::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr);
  }
  return Evaluation::truth(std::ranges::any_of(
      call.json(0), [&](const canon::Json& element) { return call.evaluation().same(element, call.json(1)); }));
}

Value act_ends_with(const Call& call) {
  call.meter().text(call.text(1).size());
  return Evaluation::truth(call.text(0).ends_with(call.text(1)));
}

Value act_starts_with(const Call& call) {
  call.meter().text(call.text(1).size());
  return Evaluation::truth(call.text(0).starts_with(call.text(1)));
}

Value act_join(const Call& call) {
  const std::string& glue = call.text(0);
  std::size_t size = 0;
  for (const auto& part : call.json(1)) size += part.get_ref<const std::string&>().size() + glue.size();
  call.meter().memory(64 + size);
  call.meter().text(size);
  std::string out;
  out.reserve(size);
  for (std::size_t i = 0; i < call.json(1).size(); ++i) {
    if (i > 0) out += glue;
    out += call.json(1)[i].get_ref<const std::string&>();
  }
  return call.evaluation().make(std::move(out));
}

Value act_length(const Call& call) {
  std::size_t size = call.json(0).size();
  if (call.json(0).is_string()) {
    call.meter().text(call.text(0).size());
    size = static_cast<std::size_t>(std::ranges::count_if(call.text(0), begins_character));
  }
  return call.evaluation().make(static_cast<std::int64_t>(size));
}

Value act_reverse(const Call& call) {
  if (call.json(0).is_string()) {
    call.meter().memory(call.text(0).size());
    return string(call, reversed(call.text(0)));
  }
  canon::Json turned = call.evaluation().take(call.value(0));
  std::reverse(turned.begin(), turned.end());
  return call.evaluation().make(std::move(turned));
}

Value act_to_string(const Call& call) {
  if (call.json(0).is_string()) return call.value(0);
  call.meter().memory(call.meter().measure(call.json(0), kMaxResult));
  return string(call, canon::canonical(call.json(0)));
}

}  // namespace stella::expression
