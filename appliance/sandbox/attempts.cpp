// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/attempts.hpp"

#include <algorithm>
#include <utility>

#include "bundles/canon/fields.hpp"

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostEntries = 1000;
constexpr std::size_t kLongestName = 300;
constexpr std::chrono::seconds kQuestionAlone{1};

}  // namespace

void Attempts::connection(const std::string& protocol, const std::string& host, const std::string& address, int port,
                          const FindProgram& find_program) {
  const Key key{protocol, host.empty() ? address : host, port};
  if (const auto known = places_.find(key); known != places_.end()) {
    ++entries_[known->second].count;
    return;
  }
  if (entries_.size() >= kMostEntries) {
    ++unnamed_;
    return;
  }
  Blocked blocked{.program = {},
                  .protocol = protocol,
                  .host = canon::printable(host, kLongestName),
                  .address = address,
                  .port = port,
                  .count = 1,
                  .first = clock::system_clock().now()};
  if (const auto asked = waiting_.find(host); asked != waiting_.end()) {
    blocked.first = asked->second.blocked.first;
    waiting_.erase(asked);
  }
  const auto asker = askers_.find(host);
  const std::string program = asker == askers_.end() || asker->second == "unknown" ? find_program() : asker->second;
  blocked.program = canon::printable(program, kLongestName);
  places_[key] = entries_.size();
  entries_.push_back(std::move(blocked));
}

void Attempts::question(const std::string& name, bool counts, Instant now, const FindProgram& find_program) {
  if (const auto again = waiting_.find(name); again != waiting_.end()) {
    ++again->second.blocked.count;
    return;
  }
  if (askers_.contains(name)) {
    if (const auto known = places_.find(Key{"dns", name, 0}); known != places_.end()) ++entries_[known->second].count;
    return;  // asked and accounted for before
  }
  if (askers_.size() >= 2 * kMostEntries) {
    if (counts) ++unnamed_;
    return;
  }
  const std::string program = canon::printable(find_program(), kLongestName);
  askers_[name] = program;
  if (!counts) return;
  waiting_[name] = {{.program = program,
                     .protocol = "dns",
                     .host = canon::printable(name, kLongestName),
                     .address = {},
                     .port = 0,
                     .count = 1,
                     .first = clock::system_clock().now()},
                    now};
}

void Attempts::add(Blocked blocked) {
  if (entries_.size() >= kMostEntries) {
    ++unnamed_;
    return;
  }
  places_[Key{"dns", blocked.host, 0}] = entries_.size();
  entries_.push_back(std::move(blocked));
}

std::vector<Blocked> Attempts::take_new(Instant now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (now - at->second.asked < kQuestionAlone) {
      ++at;
      continue;
    }
    add(std::move(at->second.blocked));
    at = waiting_.erase(at);
  }
  std::vector<Blocked> fresh(entries_.begin() + static_cast<std::ptrdiff_t>(told_), entries_.end());
  told_ = entries_.size();
  return fresh;
}

void Attempts::close() {
  for (auto& [name, waiting] : waiting_) add(std::move(waiting.blocked));
  waiting_.clear();
}

std::vector<Blocked> Attempts::all() const {
  // A question that was told for itself and then followed by a connection after all is that connection.
  std::vector<Blocked> list;
  for (const auto& entry : entries_) {
    const bool is_folded =
        entry.protocol == "dns" && std::any_of(entries_.begin(), entries_.end(), [&](const Blocked& other) {
          return other.protocol != "dns" && other.host == entry.host;
        });
    if (!is_folded) list.push_back(entry);
  }
  std::stable_sort(list.begin(), list.end(), [](const Blocked& a, const Blocked& b) { return a.first < b.first; });
  return list;
}

}  // namespace stella::sandbox
