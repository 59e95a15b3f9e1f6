// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/chunk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bundles/files/read.hpp"

namespace stella::logs {
namespace {

constexpr std::size_t kBlock = 256 << 10;
constexpr std::uint64_t kMaxIndex = std::uint64_t{64} << 20;

std::string read_at(const files::Fd& fd, std::uint64_t place, std::size_t length) {
  std::string bytes(length, '\0');
  std::size_t have = 0;
  while (have < length) {
    const ssize_t got = ::pread(fd.get(), bytes.data() + have, length - have, static_cast<off_t>(place + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fault::system_error(errno, "reading", "a log chunk");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace

std::string_view Cursor::peek(std::size_t length) {
  const std::uint64_t skip = next_ - buffered_at_;
  if (next_ < buffered_at_ || skip + length > buffer_.size()) {
    buffer_ = read_at(fd_, next_, std::max(length, block_));
    buffered_at_ = next_;
    block_ = kBlock;
    return std::string_view(buffer_).substr(0, length);
  }
  return std::string_view(buffer_).substr(skip, length);
}

Found Cursor::next() {
  place_ = next_;
  const auto give_up = [this](Found what) {
    buffer_.clear();
    return what;
  };
  std::string_view bytes = peek(kHeadBytes);
  if (bytes.empty()) return give_up(Found::end);
  if (bytes.size() < kHeadBytes) return give_up(Found::torn);
  const auto head = parse_head(bytes);
  if (!head) return give_up(Found::damaged);
  bytes = peek(kHeadBytes + head->length);
  if (bytes.size() < kHeadBytes + head->length) return give_up(Found::torn);
  if (!fits(bytes, bytes.substr(kHeadBytes))) return give_up(Found::damaged);
  head_ = *head;
  payload_ = bytes.substr(kHeadBytes);
  next_ = place_ + bytes.size();
  return Found::record;
}

const Standing::One* Standing::take(const Head& head, std::string_view payload) {
  if (head.kind == Kind::declare) {
    const auto declared = parse_declare(payload);
    if (!declared) return nullptr;
    const std::uint64_t key = key_of(declared->step);
    open_[head.id] = {key, declared->step, declared->number, declared->offset, declared->lines, declared->offset};
    before_ = open_[head.id];
    return &before_;
  }
  const auto found = open_.find(head.id);
  if (found == open_.end() || (head.kind == Kind::end && payload.size() != 16)) return nullptr;
  before_ = found->second;
  if (head.kind == Kind::end) {
    open_.erase(found);
  } else {
    found->second.offset += payload.size();
    found->second.lines += count_lines(payload);
  }
  return &before_;
}

std::optional<Entry> Standing::due(const Head& head, std::uint64_t place, const One& before, std::uint64_t every) {
  if (head.kind == Kind::end) return std::nullopt;
  if (head.kind == Kind::text) {
    const auto found = open_.find(head.id);
    if (found == open_.end() || before.offset - found->second.indexed < every) return std::nullopt;
    found->second.indexed = before.offset;
  }
  return Entry{before.step_key, before.number, head.id, head.kind, place, before.offset, before.lines, head.at};
}

Scan scan_chunk(const std::string& path, std::uint64_t index_every) {
  files::Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) throw fault::system_error(errno, "reading the log chunk", path);
  Scan scan;
  const std::string magic = read_at(fd, 0, kChunkMagic.size());
  if (magic != kChunkMagic) {
    // A power cut may leave a new file short, or long enough and full of zeros.
    const bool cut = magic.size() < kChunkMagic.size() || magic.find_first_not_of('\0') == std::string::npos;
    if (cut) return scan;
    throw damaged(path, 0, "is no log chunk");
  }
  Cursor cursor(std::move(fd), kChunkMagic.size());
  Standing standing;
  scan.good = kChunkMagic.size();
  while (cursor.next() == Found::record) {
    const Standing::One* before = standing.take(cursor.head(), cursor.payload());
    if (before == nullptr) break;
    if (auto entry = standing.due(cursor.head(), cursor.place(), *before, index_every)) scan.entries.push_back(*entry);
    scan.last_id = std::max(scan.last_id, cursor.head().id);
    scan.latest = std::max(scan.latest, cursor.head().at);
    scan.good = cursor.after();
  }
  return scan;
}

std::optional<std::vector<Entry>> load_index(const std::string& path, std::uint64_t closed_size) {
  std::string bytes;
  try {
    bytes = files::read_input(path, {kMaxIndex, files::Empty::allow, files::Links::refuse});
  } catch (const fault::Error&) {
    return std::nullopt;  // it can be made anew from the chunk: never a reason to fail
  }
  std::string_view rest = bytes;
  if (!rest.starts_with(kIndexMagic)) return std::nullopt;
  rest.remove_prefix(kIndexMagic.size());
  std::vector<Entry> entries;
  std::uint64_t last = 0;
  while (rest.size() >= kEntryBytes) {
    const auto entry = parse_entry(rest);
    if (!entry || entry->place < last) return std::nullopt;
    last = entry->place;
    entries.push_back(*entry);
    rest.remove_prefix(kEntryBytes);
  }
  if (!entries.empty() && entries.back().kind == Kind::closed) {
    if (entries.back().place != closed_size) return std::nullopt;
    entries.pop_back();
    return entries;
  }
  return closed_size == 0 ? std::optional(std::move(entries)) : std::nullopt;
}

files::Fd open_chunk(const std::string& folder, std::uint32_t number) {
  const std::string path = folder + "/" + chunk_name(number);
  files::Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno != ENOENT) throw fault::system_error(errno, "reading the log chunk", path);
  return fd;
}

fault::Error damaged(const std::string& path, std::uint64_t place, const std::string& what) {
  return {fault::Code::journal_tampered, "log", fmt::format("{} {}", path, what), fmt::format("{}:{}", path, place),
          "Copy the run's folder to good media and look at the disk; what other chunks hold can still be read."};
}

std::uint64_t count_lines(std::string_view bytes) noexcept {
  std::uint64_t count = 0;  // find() is memchr: several times faster than a loop for lines of usual length
  for (auto at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) ++count;
  return count;
}

std::vector<std::uint32_t> chunks_in(const std::string& folder) {
  std::vector<std::uint32_t> numbers;
  const files::Handle<DIR, ::closedir> dir(::opendir(folder.c_str()));
  if (!dir) {
    if (errno == ENOENT) return numbers;
    throw fault::system_error(errno, "reading the folder", folder);
  }
  while (const dirent* entry = ::readdir(dir.get())) {
    if (const auto number = chunk_number(entry->d_name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace stella::logs
