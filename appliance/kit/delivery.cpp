// SPDX-License-Identifier: Apache-2.0
#include "appliance/kit/delivery.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>

#include "appliance/journal/visible.hpp"
#include "appliance/kit/manifest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::kit {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFile = 16 << 20;
constexpr std::int64_t kMaxRevision = std::int64_t{1} << 53;
constexpr int kMostAtOnce = 100;  // of a home that gets its first kit folder, each process delivers a part

struct Mark {
  std::string folder;
  std::int64_t revision = 0;
  std::map<std::string, std::string> waiting;  // run -> why
};

std::string mark_path(const files::Home& home) {
  return home.runs() + "/kit.json";
}

std::optional<struct stat> look(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

Mark parse_mark(const std::string& text, const std::string& at) {
  const Json object = canon::parse_json(text, Code::journal_tampered, at);
  canon::Fields fields(object, Code::journal_tampered, "kit", at);
  Mark mark{.folder = fields.text("folder"), .revision = fields.integer("revision", 0, kMaxRevision), .waiting = {}};
  for (const Json& row : fields.array("waiting", 1000000)) {
    canon::Fields one(row, Code::journal_tampered, "kit", at);
    const std::string run = one.text("run");
    mark.waiting[run] = one.text("why");
  }
  return mark;
}

// Of another folder, or one that nobody can read: everything is looked at anew.
Mark load_mark(const files::Home& home, const std::string& folder) {
  try {
    if (look(mark_path(home))) {
      Mark mark = parse_mark(files::read_input(mark_path(home), {.max_bytes = kMaxFile, .links = files::Links::refuse}),
                             mark_path(home));
      if (mark.folder == folder) return mark;
    }
  } catch (const Error&) {  // it is a cache
  }
  return {.folder = folder, .revision = 0, .waiting = {}};
}

void save_mark(const files::Home& home, const Mark& mark) {
  Json waiting = Json::array();
  for (const auto& [run, why] : mark.waiting) waiting.push_back({{"run", run}, {"why", why}});
  files::write_atomically(
      mark_path(home),
      canon::canonical({{"folder", mark.folder}, {"revision", mark.revision}, {"waiting", std::move(waiting)}}), 0600);
}

void require_folder(const std::string& folder) {
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
    throw Error(Code::file_not_found, "folder", fmt::format("the offline kit's folder {} is not there", folder),
                folder);
}

// The same statement under a signature is there: whoever signed it (an older identity too) had the same to say.
bool says_the_same(const std::string& path, const std::string& payload) {
  try {
    const auto found = look(path);
    if (!found || !S_ISREG(found->st_mode)) return false;
    const auto text = files::read_input(path, {.max_bytes = kMaxFile, .links = files::Links::refuse});
    return dsse::parse(text, Code::file_unsuitable, path).payload == payload;
  } catch (const Error&) {
    return false;
  }
}

// True: it was written just now.
bool put(const site::Identity& identity, const journal::Journal& journal, const journal::RunRow& row,
         const std::string& folder) {
  const auto manifest = manifest_of(journal, row, identity.id);
  if (!manifest) return false;
  const std::string path = folder + "/" + manifest->file;
  if (says_the_same(path, dsse::serialise(manifest->statement))) return false;
  require_folder(folder);
  files::write_atomically(path, dsse::serialise(dsse::sign(manifest->statement, identity.key)), 0644);
  files::crash_point("kit.delivered");
  return true;
}

// Whether nothing else will fare better there than what met this error.
bool is_of_folder(const Error& error, const std::string& folder) {
  struct stat found {};
  return error.code() == Code::no_space || error.code() == Code::media_gone || ::stat(folder.c_str(), &found) != 0 ||
         !S_ISDIR(found.st_mode) || ::access(folder.c_str(), W_OK | X_OK) != 0;
}

// One look through what is outstanding and what is new. One manifest that cannot be written is remembered, and the next
// is tried; after what concerns all of them (the folder is missing or full, there is no identity) they are only
// remembered.
class Round {
 public:
  Round(const files::Home& home, const journal::Journal& journal, Mark& mark)
      : home_(&home), journal_(&journal), mark_(&mark) {}

  void retry_waiting() {
    const auto waiting = mark_->waiting;
    for (const auto& one : waiting) {
      if (!why_none_.empty() || written_ >= kMostAtOnce) return;
      if (const auto row = find(one.first))
        take(*row);
      else
        mark_->waiting.erase(one.first);  // the run was removed: nothing can be said of it any more
    }
  }
  void look_through() {
    for (auto changes = journal_->changes(mark_->revision); !changes.empty();
         changes = journal_->changes(mark_->revision)) {
      for (const auto& change : changes) {
        if (written_ >= kMostAtOnce) return;
        take(change.row);
        mark_->revision = change.revision;
      }
    }
  }

 private:
  [[nodiscard]] std::optional<journal::RunRow> find(const std::string& run) const {
    try {
      return journal_->need(run);
    } catch (const Error& error) {
      if (error.code() != Code::run_not_found) throw;
      return std::nullopt;
    }
  }
  void take(const journal::RunRow& row) {
    if (!has_ended(row)) return;
    if (const std::string why = deliver(row); why.empty())
      mark_->waiting.erase(row.id);
    else
      mark_->waiting[row.id] = why;
  }
  // Why it is not there; empty: it is.
  std::string deliver(const journal::RunRow& row) {
    if (!why_none_.empty()) return why_none_;
    try {
      if (!identity_) identity_ = site::load_identity(*home_);
      if (put(*identity_, *journal_, row, mark_->folder)) ++written_;
      return {};
    } catch (const Error& error) {
      std::string why = fmt::format("{}: {}", fault::info(error.code()).name, error.what());
      if (!identity_ || is_of_folder(error, mark_->folder)) why_none_ = why;
      return why;
    }
  }
  const files::Home* home_;
  const journal::Journal* journal_;
  Mark* mark_;
  std::optional<site::Identity> identity_;
  std::string why_none_;  // nothing can be delivered now
  int written_ = 0;
};

// Nothing when another process delivers.
std::optional<files::Fd> try_lock(const files::Home& home) {
  const std::string path = home.runs() + "/kit.lock";
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return fd;
}

bool is_same(const Mark& a, const Mark& b) {
  return a.folder == b.folder && a.revision == b.revision && a.waiting == b.waiting;
}

}  // namespace

void deliver(const files::Home& home, const journal::Journal& journal) noexcept {
  try {
    const auto applied = site::load_applied(home);
    // One that sees some tenants' runs only would mark the others' as looked at.
    if (!applied || !applied->policy.offline_kit || !journal::sees_everything()) return;
    const auto lock = try_lock(home);
    if (!lock) return;
    const Mark before = load_mark(home, *applied->policy.offline_kit);
    Mark mark = before;
    Round round(home, journal, mark);
    round.retry_waiting();
    round.look_through();
    if (!is_same(mark, before)) save_mark(home, mark);
  } catch (const std::exception&) {  // the next process looks again from where the mark stands
  }
}

void deliver_run(const files::Home& home, const journal::Journal& journal, const std::string& run) noexcept {
  try {
    const auto applied = site::load_applied(home);
    if (!applied || !applied->policy.offline_kit) return;
    (void)put(site::load_identity(home), journal, journal.need(run), *applied->policy.offline_kit);
  } catch (const std::exception&) {  // deliver() finds it outstanding and says why
  }
}

Standing standing(const files::Home& home) {
  const auto applied = site::load_applied(home);
  if (!applied || !applied->policy.offline_kit) return {};
  Standing standing{.folder = *applied->policy.offline_kit, .waiting = {}};
  for (const auto& [run, why] : load_mark(home, standing.folder).waiting) standing.waiting.push_back({run, why});
  return standing;
}

std::string find_delivered(const files::Home& home, const journal::RunRow& row) {
  const auto applied = site::load_applied(home);
  if (!applied || !applied->policy.offline_kit) return {};
  const std::string path = fmt::format("{}/{}.{}.run.dsse.json", *applied->policy.offline_kit,
                                       row.folder.substr(row.folder.rfind('/') + 1), row.attempt);
  return look(path) ? path : std::string();
}

}  // namespace stella::kit
