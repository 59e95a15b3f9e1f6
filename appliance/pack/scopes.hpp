// SPDX-License-Identifier: Apache-2.0
// Where the steps of a pack stand: which names each can see, and which steps are surely done before it. A scope is the
// top level or the body of a map or loop; members of parallel and conditional share the scope around them. Near linear
// in the number of steps and needs. One thread.
#pragma once

#include <deque>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "appliance/pack/manifest.hpp"

namespace stella::pack {

struct Scope;
struct List;

struct Place {  // of one step
  const Step* step = nullptr;
  const Place* parent = nullptr;  // the group it stands in; null at top
  List* list = nullptr;           // it and its siblings
  std::size_t number = 0;         // in the list
  const Scope* scope = nullptr;
};

struct List {
  bool in_order = true;  // without `needs` a step waits for all before it; a parallel's do not
  bool at_end = false;   // `finally` itself
  std::vector<const Place*> places;
  std::unordered_map<std::string_view, std::size_t> numbers;  // by id
  std::vector<std::size_t> prefix;                            // of each: so many of the first are surely done before
  std::vector<std::vector<std::uint64_t>> rows;               // of each: bits of those done before; made when asked for
};

struct Scope {
  const Scope* around = nullptr;
  const Step* owner = nullptr;  // the map or loop
  std::unordered_map<std::string_view, const Place*> steps;
  [[nodiscard]] const Place* find(std::string_view id) const;         // here, then outwards
  [[nodiscard]] bool has_iterator(std::string_view name) const;       // here, then outwards
  [[nodiscard]] std::vector<std::string> names(bool outwards) const;  // ids, for guesses
};

class Scopes {
 public:
  explicit Scopes(const Manifest& manifest);
  Scopes(const Scopes&) = delete;
  Scopes& operator=(const Scopes&) = delete;
  [[nodiscard]] const std::deque<Place>& places() const noexcept { return places_; }  // groups before their members
  [[nodiscard]] const Scope& top() const noexcept { return scopes_.front(); }
  [[nodiscard]] const Scope* body_of(const Place& loop) const;
  // Steps whose id stands in this scope, or one around it, already.
  [[nodiscard]] const std::vector<const Place*>& repeated() const noexcept { return repeated_; }
  // `target` is surely done (or surely will not run) when `reader` starts.
  [[nodiscard]] static bool is_done_before(const Place& target, const Place& reader);
  // The same when the body of the loop `reader` has ended a turn.
  [[nodiscard]] static bool is_done_after_turn(const Place& target, const Place& loop);

 private:
  void add(const std::vector<Step>& steps, const Place* parent, Scope& scope, bool in_order, bool at_end);
  void add_members(const Place& place, Scope& scope, bool at_end);
  std::deque<Place> places_;
  std::deque<List> lists_;
  std::deque<Scope> scopes_;
  std::unordered_map<const Step*, const Scope*> bodies_;
  std::vector<const Place*> repeated_;
};

}  // namespace stella::pack
