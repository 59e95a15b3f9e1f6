// SPDX-License-Identifier: Apache-2.0
#include "vault/redaction/redactor.hpp"

#include <algorithm>
#include <cstring>

#include "vault/redaction/tables.hpp"

namespace stella::redaction {

namespace {
constexpr std::size_t kChunk = 16384;
}

Patterns::Patterns(std::span<const Value> values) : tables_(std::make_unique<Tables>(values)) {}
Patterns::~Patterns() = default;
Patterns::Patterns(Patterns&&) noexcept = default;
bool Patterns::empty() const noexcept {
  return tables_->forms.list.empty();
}

bool Patterns::occurs_in(std::string_view text) const {
  for (std::size_t at = tables_->skip(text, 0); at < text.size(); at = tables_->skip(text, at + 1))
    if (tables_->look(text, at, Ending::final).found == Look::Found::form) return true;
  return false;
}

std::vector<Patterns::Hit> Patterns::find_all(std::string_view text) const {
  std::vector<Hit> hits;
  std::size_t covered = 0;
  for (std::size_t at = tables_->skip(text, 0); at < text.size(); at = tables_->skip(text, at + 1)) {
    const auto look = tables_->look(text, at, Ending::final);
    if (look.found != Look::Found::form) continue;
    if (at >= covered) hits.push_back({tables_->names[look.form->name], at});
    covered = std::max(covered, look.end);
  }
  return hits;
}

// The window holds what was not passed on yet and one byte before the position that is looked at next:
//   0 .. clean_: passed on or covered;  clean_ .. at_: clean, not passed on yet;  at_ .. size_: not looked at yet
struct Redactor::Stream {
  Stream(const Patterns::Tables& patterns, std::function<void(std::string_view)> to)
      : tables(&patterns), sink(std::move(to)), window(patterns.longest_find() + 2 * kWindow + kChunk) {}

  const Patterns::Tables* tables;
  std::function<void(std::string_view)> sink;
  locked::Bytes window;
  std::size_t size = 0, at = 0, clean = 0;
  std::uint64_t hits = 0;

  [[nodiscard]] std::string_view text() const noexcept { return window.view().substr(0, size); }

  void pass_on(std::size_t end) {
    if (end > clean) sink(text().substr(clean, end - clean));
    clean = std::max(clean, end);
  }

  void cover(const Look& look) {
    if (at >= clean) {
      const bool shared = look.form->shares_first && at > clean && is_base64(text()[at - 1]);
      pass_on(shared ? at - 1 : at);
      sink("[redacted:" + tables->names[look.form->name] + "]");
      ++hits;
    }
    clean = std::max(clean, look.end);
  }

  void scan(Ending ending) {
    while ((at = tables->skip(text(), at)) < size) {
      const auto look = tables->look(text(), at, ending);
      if (look.found == Look::Found::undecided) break;
      if (look.found == Look::Found::form) cover(look);
      ++at;
    }
    // A last character that may share bits with a value that begins next waits for it.
    const bool waits = ending == Ending::open && tables->shares_first() && at > clean && is_base64(text()[at - 1]);
    pass_on(waits ? at - 1 : at);
  }

  void drop_passed() {
    const auto passed = std::min(clean, at == 0 ? 0 : at - 1);
    std::memmove(window.data(), window.data() + passed, size - passed);
    size -= passed;
    at -= passed;
    clean -= passed;
  }

  void take(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = std::min(bytes.size(), window.size() - size);
      std::memcpy(window.data() + size, bytes.data(), count);
      size += count;
      bytes.remove_prefix(count);
      scan(Ending::open);
      drop_passed();
    }
  }
};

Redactor::Redactor(const Patterns& patterns, std::function<void(std::string_view)> sink)
    : stream_(std::make_unique<Stream>(*patterns.tables_, std::move(sink))) {}
Redactor::~Redactor() = default;
Redactor::Redactor(Redactor&&) noexcept = default;

void Redactor::write(std::string_view bytes) {
  if (stream_->tables->forms.list.empty()) {
    if (!bytes.empty()) stream_->sink(bytes);
    return;
  }
  stream_->take(bytes);
}

void Redactor::finish() {
  stream_->scan(Ending::final);
  stream_->drop_passed();
}

std::uint64_t Redactor::hits() const noexcept {
  return stream_->hits;
}

}  // namespace stella::redaction
