// SPDX-License-Identifier: Apache-2.0
#include "bundles/canon/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <vector>

namespace stella::canon {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53;

// Builds the DOM while refusing what nlohmann lets through: duplicate keys, deep nesting, integers that a double cannot
// hold.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit StrictBuilder(std::size_t max_values) : values_left_(max_values) {}
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override {
    if (value < -kMaxInteger || value > kMaxInteger) return refuse("an integer beyond 2^53");
    return put(value);
  }
  bool number_unsigned(std::uint64_t value) override {
    if (value > static_cast<std::uint64_t>(kMaxInteger)) return refuse("an integer beyond 2^53");
    return put(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string& text) override {
    if (!std::isfinite(value)) return refuse("a number that is not finite");
    // An integer too large for 64 bits arrives here as a double: refuse it like its smaller brothers.
    if (text.find_first_of(".eE") == std::string::npos) return refuse("an integer beyond 2^53");
    return put(value);
  }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    const auto [member, is_new] = stack_.back()->emplace(name, nullptr);
    if (!is_new) return refuse(fmt::format("the key \"{}\" twice", name.substr(0, 60)));
    member_ = &*member;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    error_position = position;
    const std::string text = error.what();
    const auto colon = text.find("parse error");
    problem = colon == std::string::npos ? "not JSON" : text.substr(colon);
    const auto detail = text.find(" - ");
    if (detail != std::string::npos) problem = text.substr(detail + 3);
    // What was read last may be part of a secret, and the position says where to look.
    if (const auto quoted = problem.find("; last read"); quoted != std::string::npos) problem.resize(quoted);
    return false;
  }

  Json root;
  std::string problem;
  std::size_t error_position = 0;

 private:
  bool refuse(std::string what) {
    problem = std::move(what);
    return false;
  }
  Json* place(Json value) {
    if (stack_.empty()) {
      root = std::move(value);
      return &root;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    *member_ = std::move(value);
    return member_;
  }
  bool put(Json value) {
    if (!count()) return false;
    place(std::move(value));
    return true;
  }
  bool count() {
    if (values_left_ == 0) return refuse("more values than are taken");
    --values_left_;
    return true;
  }
  bool open(Json value) {
    if (!count()) return false;
    if (stack_.size() >= kMaxDepth) return refuse("nesting deeper than 64");
    stack_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }
  std::vector<Json*> stack_;
  Json* member_ = nullptr;  // of the object on top: what its last key named
  std::size_t values_left_;
};

// Counts what the parser has consumed, so that our own refusals get a place too.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    if (furthest_ != nullptr) *furthest_ = at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

std::string place_of(std::string_view text, std::size_t offset, const std::string& at) {
  std::size_t line = 1, column = 1;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format("{}:{}:{}", at, line, column);
}

}  // namespace

Json parse_json(std::string_view text, fault::Code code, const std::string& at, std::size_t max_bytes,
                std::size_t max_values) {
  if (text.size() > max_bytes) {
    throw fault::Error(code, "json", fmt::format("{} bytes of JSON, at most {} are taken", text.size(), max_bytes), at);
  }
  // nlohmann skips a byte-order mark; I-JSON has none.
  if (text.starts_with("\xEF\xBB\xBF"))
    throw fault::Error(code, "json", "a byte-order mark before the JSON", at + ":1:1");
  // nlohmann 3.11 takes a NUL for the end of the text and lets anything follow it.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    throw fault::Error(code, "json", "a NUL byte in the JSON", place_of(text, nul, at));
  }
  StrictBuilder builder(max_values);
  const char* furthest = text.data();
  const CountingIterator begin(text.data(), &furthest), end(text.data() + text.size(), nullptr);
  bool good = false;
  try {
    good = Json::sax_parse(begin, end, &builder);
  } catch (const Json::exception& error) {
    builder.problem = error.what();
  }
  if (!good) {
    const auto offset = static_cast<std::size_t>(furthest - text.data());
    throw fault::Error(code, "json", "JSON: " + builder.problem, place_of(text, offset > 0 ? offset - 1 : 0, at));
  }
  return std::move(builder.root);
}

}  // namespace stella::canon
