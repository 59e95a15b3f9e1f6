// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "bundles/canon/fields.hpp"

namespace stella::schema {
namespace {

constexpr std::size_t kMaxSource = std::size_t{8} << 10;
constexpr std::size_t kMaxMemory = std::size_t{24} << 20;
constexpr std::size_t kMaxInstructions = 40000;  // of all patterns: what compiling them may take, about 50 ms
// RE2 keeps whatever it was given for states of the automaton, so a small pattern is given little.
constexpr std::array<std::size_t, 3> kTiers = {std::size_t{32} << 10, std::size_t{256} << 10, std::size_t{1} << 20};

re2::RE2::Options options_for(std::size_t memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(memory));
  return options;
}

}  // namespace

struct Pattern::Machine {
  Machine(const std::string& text, const re2::RE2::Options& options) : automaton(text, options) {}
  re2::RE2 automaton;
};

Pattern::Pattern(std::string_view source, std::size_t memory) : source_(source) {
  if (source.size() > kMaxSource)
    throw PatternError(fmt::format("the pattern has {} bytes, at most {} are taken", source.size(), kMaxSource));
  machine_ = std::make_unique<Machine>(translate_pattern(source), options_for(memory));
  if (!machine_->automaton.ok() && !is_too_large())
    throw PatternError(canon::printable(machine_->automaton.error(), 200));
}

Pattern::~Pattern() = default;

bool Pattern::is_too_large() const {
  return machine_->automaton.error_code() == re2::RE2::ErrorPatternTooLarge;
}

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), machine_->automaton);
}

std::size_t Pattern::weight() const {
  return static_cast<std::size_t>(std::max(machine_->automaton.ProgramSize(), 1));
}

const Pattern& Patterns::get(const std::string& source) {
  if (const auto found = known_.find(source); found != known_.end()) return *found->second;
  for (const std::size_t memory : kTiers) {
    auto pattern = std::make_unique<Pattern>(source, memory);
    if (pattern->is_too_large()) continue;
    memory_ += memory;
    instructions_ += pattern->weight();
    if (memory_ > kMaxMemory || instructions_ > kMaxInstructions)
      throw PatternError("the patterns of this schema together are too large (40,000 instructions, 24 MiB)");
    return *(known_[source] = std::move(pattern));
  }
  throw PatternError("the pattern needs more than 1 MiB; ask for fewer repeats");
}

}  // namespace stella::schema
