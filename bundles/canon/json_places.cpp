// SPDX-License-Identifier: Apache-2.0
#include "bundles/canon/json_places.hpp"

#include <algorithm>

#include "bundles/canon/json.hpp"

namespace stella::canon {
namespace {

// Walks a good text once; goes only into values that a wanted pointer leads through. Nothing here is deeper than the
// pointers are, and parse_json has limited those to 64 levels.
class Walk {
 public:
  Walk(std::string_view text, const std::set<std::string>& wanted) : text_(text), wanted_(wanted) {}

  std::map<std::string, Places> find() {
    skip_space();
    visit("", at_);
    return std::move(found_);
  }

 private:
  void visit(const std::string& pointer, std::size_t name_at) {
    if (wanted_.contains(pointer)) {
      const Place name = place(name_at);
      found_[pointer] = {place(at_), name};
    }
    if (at_ < text_.size() && text_[at_] == '{')
      visit_members(pointer);
    else if (at_ < text_.size() && text_[at_] == '[')
      visit_items(pointer);
    else
      skip_value();
  }

  void visit_members(const std::string& pointer) {
    for (next(); at_ < text_.size() && text_[at_] == '"';) {
      const std::size_t name_at = at_;
      skip_string();
      const std::string_view raw = text_.substr(name_at + 1, at_ - name_at - 2);
      const bool is_plain = raw.find('\\') == std::string_view::npos;
      const std::string name =
          is_plain ? std::string(raw) : Json::parse(text_.substr(name_at, at_ - name_at)).get<std::string>();
      skip_space();
      next();  // the colon
      visit_child(pointer + pointer_step(name), name_at);
    }
    next();
  }

  void visit_items(const std::string& pointer) {
    next();
    for (std::size_t index = 0; at_ < text_.size() && text_[at_] != ']'; ++index)
      visit_child(pointer + "/" + std::to_string(index), at_);
    next();
  }

  void visit_child(const std::string& pointer, std::size_t name_at) {
    const auto first = wanted_.lower_bound(pointer);
    if (first != wanted_.end() && first->starts_with(pointer))
      visit(pointer, name_at);
    else
      skip_value();
    skip_space();
    if (at_ < text_.size() && text_[at_] == ',') next();
  }

  void next() {
    ++at_;
    skip_space();
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\') ++at_;
    at_ = std::min(at_ + 1, text_.size());
  }

  void skip_value() {
    for (int depth = 0; at_ < text_.size();) {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return;  // of the container around a number or a word
        --depth;
        ++at_;
      } else if (depth == 0) {
        at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
        return;
      } else {
        ++at_;
      }
      if (depth == 0) return;
    }
  }

  // Offsets come in rising order, but for a name and its value.
  Place place(std::size_t offset) {
    if (offset < counted_) counted_ = 0, here_ = {1, 1};
    for (; counted_ < offset; ++counted_) {
      if (text_[counted_] == '\n')
        here_ = {here_.line + 1, 1};
      else if ((static_cast<unsigned char>(text_[counted_]) & 0xC0U) != 0x80U)
        ++here_.column;
    }
    return here_;
  }

  std::string_view text_;
  const std::set<std::string>& wanted_;
  std::map<std::string, Places> found_;
  std::size_t at_ = 0, counted_ = 0;
  Place here_{1, 1};
};

}  // namespace

std::map<std::string, Places> find_places(std::string_view text, const std::set<std::string>& pointers) {
  return Walk(text, pointers).find();
}

std::string pointer_step(std::string_view name) {
  std::string step = "/";
  for (const char c : name) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

}  // namespace stella::canon
