// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <vector>

#include "appliance/logs/chunk.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::logs {
namespace {

void sync_file(const files::Fd& fd, const std::string& name) {
  if (::fdatasync(fd.get()) != 0) throw fault::system_error(errno, "writing", name);
}

files::Fd open_to_append(const std::string& path) {
  files::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "writing the log", path);
  return fd;
}

files::Fd duplicate(const files::Fd& fd) {
  files::Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) throw fault::system_error(errno, "writing", "the log");
  return copy;
}

}  // namespace

struct Writer::State {
  State(std::string in, Limits within) : folder(std::move(in)), limits(within) {}
  std::string folder;
  Limits limits;
  std::mutex syncing{};  // taken before `mutex`
  std::mutex mutex{};    // of everything below
  std::uint32_t chunk = 0;
  files::Fd file{}, index{};  // empty until the first record
  std::uint64_t size = 0;
  std::uint32_t last_id = 0;
  Standing standing{};
  clock::Time latest{};
  bool dirty = false, folder_dirty = false;
  std::vector<files::Fd> retired{};  // chunks and indexes that are full and not yet synced

  void open_next();
  void retire();
  void put(const Head& head, std::string_view payload);
  void add_to_index(const Entry& entry);
  void declare(Try::State& one, clock::Time at);
};

struct Try::State {
  Writer::State* writer;
  std::string step;
  int number;
  std::uint32_t declared_in = 0, id = 0;  // the chunk, and the id there
  std::uint64_t size = 0, lines = 0, said = 0;
  canon::Sha256 whole{}, part{};
};

void Writer::State::open_next() {
  const std::string path = folder + "/" + chunk_name(chunk + 1);
  files::Fd next = open_to_append(path);
  files::Fd next_index = open_to_append(folder + "/" + index_name(chunk + 1));
  // Both may be left from a try that failed on a full disk.
  if (::ftruncate(next.get(), 0) != 0 || ::ftruncate(next_index.get(), 0) != 0)
    throw fault::system_error(errno, "writing the log", path);
  files::write_all(next.get(), kChunkMagic, path);
  files::write_all(next_index.get(), kIndexMagic, path);
  file = std::move(next);
  index = std::move(next_index);
  ++chunk;
  size = kChunkMagic.size();
  last_id = 0;
  standing.clear();
  dirty = folder_dirty = true;
}

void Writer::State::retire() {
  const Entry closed{.kind = Kind::closed, .place = size, .at = latest};
  add_to_index(closed);
  retired.push_back(std::move(file));
  if (index) retired.push_back(std::move(index));
  file = files::Fd();
  index = files::Fd();
}

// All of the record or nothing of it.
void Writer::State::put(const Head& head, std::string_view payload) {
  std::string first = head_bytes(head, payload);
  const std::size_t total = first.size() + payload.size();
  iovec parts[2] = {{first.data(), first.size()}, {const_cast<char*>(payload.data()), payload.size()}};
  ssize_t done = 0;
  do {
    done = ::writev(file.get(), parts, 2);
  } while (done < 0 && errno == EINTR);
  if (done != static_cast<ssize_t>(total)) {
    const int why = done < 0 ? errno : ENOSPC;  // a regular file takes less than all of it only when it is full
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) file = files::Fd();
    throw fault::system_error(why, "writing the log", folder + "/" + chunk_name(chunk));
  }
  dirty = true;
  const std::uint64_t place = size;
  size += total;
  const Standing::One* before = standing.take(head, payload);
  if (before == nullptr) return;
  if (const auto entry = standing.due(head, place, *before, limits.index_every)) add_to_index(*entry);
}

// An index that cannot be written is left as it is, not whole: readers then look through the chunk itself.
void Writer::State::add_to_index(const Entry& entry) {
  if (!index) return;
  try {
    files::write_all(index.get(), entry_bytes(entry), index_name(chunk));
  } catch (const fault::Error&) {
    index = files::Fd();
  }
}

void Writer::State::declare(Try::State& one, clock::Time at) {
  if (file && (size >= limits.chunk_bytes || last_id == kMaxId)) retire();
  if (!file) open_next();
  if (one.declared_in == chunk) return;
  const std::uint32_t id = last_id + 1;
  put({.kind = Kind::declare, .id = id, .at = at}, declare_payload({one.size, one.lines, one.number, one.step}));
  last_id = id;
  one.id = id;
  one.declared_in = chunk;
}

Try::Try(std::unique_ptr<State> state) : state_(std::move(state)) {}
Try::Try(Try&&) noexcept = default;
Try& Try::operator=(Try&&) noexcept = default;
Try::~Try() = default;

void Try::append(Stream stream, std::string_view bytes, clock::Time at) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kMaxPayload);
    bytes.remove_prefix(piece.size());
    {
      const std::scoped_lock lock(state_->writer->mutex);
      Writer::State& writer = *state_->writer;
      writer.latest = std::max(writer.latest, at);
      writer.declare(*state_, writer.latest);
      writer.put({.kind = Kind::text, .stream = stream, .id = state_->id, .at = writer.latest}, piece);
    }
    state_->whole.update(piece);
    state_->part.update(piece);
    state_->size += piece.size();
    state_->lines += count_lines(piece);
  }
}

std::uint64_t Try::size_bytes() const noexcept {
  return state_->size;
}

Part Try::part() {
  const Part part{state_->said, state_->size - state_->said, state_->part.finish().tagged()};
  state_->said = state_->size;
  return part;
}

Whole Try::finish(clock::Time at) {
  if (state_->size > 0) {
    const std::scoped_lock lock(state_->writer->mutex);
    Writer::State& writer = *state_->writer;
    writer.latest = std::max(writer.latest, at);
    writer.declare(*state_, writer.latest);
    writer.put({.kind = Kind::end, .id = state_->id, .at = writer.latest}, end_payload(state_->size, state_->lines));
  }
  return {state_->size, state_->lines, state_->whole.finish().tagged()};
}

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Writer Writer::open(const std::string& folder, Limits limits) {
  files::make_folders(folder, 0700);
  auto state = std::make_unique<State>(folder, limits);
  const auto chunks = chunks_in(folder);
  if (chunks.empty()) return Writer(std::move(state));
  const std::uint32_t last = chunks.back();
  const std::string path = folder + "/" + chunk_name(last), index = folder + "/" + index_name(last);
  const Scan scan = scan_chunk(path, limits.index_every);
  state->latest = scan.latest;
  state->chunk = last - 1;
  if (scan.good == 0) return Writer(std::move(state));  // the first append makes it anew
  files::Fd file = open_to_append(path);
  if (files::size_of(file) != scan.good) {
    if (::ftruncate(file.get(), static_cast<off_t>(scan.good)) != 0)
      throw fault::system_error(errno, "cutting the torn end of", path);
    sync_file(file, path);
  }
  std::string fresh(kIndexMagic);
  for (const Entry& entry : scan.entries) fresh += entry_bytes(entry);
  if (const auto found = load_index(index, 0); !found || found->size() != scan.entries.size())
    files::write_atomically(index, fresh, 0600);
  state->chunk = last;
  state->file = std::move(file);
  state->index = open_to_append(index);
  state->size = scan.good;
  state->last_id = scan.last_id;
  return Writer(std::move(state));
}

Try Writer::begin(const std::string& step, int number) {
  return Try(std::make_unique<Try::State>(Try::State{.writer = state_.get(), .step = step, .number = number}));
}

void Writer::sync() {
  const std::scoped_lock turn(state_->syncing);
  std::vector<files::Fd> files;
  bool folder = false;
  {
    const std::scoped_lock lock(state_->mutex);
    if (!state_->dirty) return;
    files = std::move(state_->retired);
    state_->retired.clear();
    if (state_->file) files.push_back(duplicate(state_->file));
    folder = std::exchange(state_->folder_dirty, false);
    state_->dirty = false;
  }
  try {
    for (const files::Fd& one : files) sync_file(one, state_->folder);
    if (folder) files::sync_folder(state_->folder);
  } catch (...) {
    const std::scoped_lock lock(state_->mutex);
    for (files::Fd& one : files) state_->retired.push_back(std::move(one));
    state_->folder_dirty = state_->folder_dirty || folder;
    state_->dirty = true;
    throw;
  }
  files::crash_point("log.synced");
}

}  // namespace stella::logs
