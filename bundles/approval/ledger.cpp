// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/ledger.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::approval {
namespace {

constexpr std::uint64_t kMaxLedgerBytes = std::uint64_t{1} << 30;

files::Fd lock(const std::string& folder) {
  const std::string path = folder + "/lock";
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "opening", path);
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw fault::system_error(errno, "locking", path);
  return fd;
}

std::string read_or_empty(const std::string& path) {
  if (!std::filesystem::exists(std::filesystem::symlink_status(path))) return {};
  return files::read_input(path, {kMaxLedgerBytes, files::Empty::allow, files::Links::refuse});
}

// A power cut may leave the beginning of a line that was never acknowledged: nothing was decided by it.
void cut_torn_tail(const std::string& path, std::size_t whole_bytes) {
  if (::truncate(path.c_str(), static_cast<off_t>(whole_bytes)) != 0)
    throw fault::system_error(errno, "repairing", path);
}

void append_durably(const std::string& path, const std::string& bytes) {
  files::Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "opening", path);
  files::write_all(fd.get(), bytes, path);
  if (::fsync(fd.get()) != 0) throw fault::system_error(errno, "writing", path);
}

std::string line_text(const NewLine& line, std::int64_t seq, const std::string& prev, clock::Time at) {
  return canon::canonical({{"seq", seq},
                           {"prev", prev},
                           {"at", clock::format_millis(at)},
                           {"clock", line.clock_suspect ? "suspect" : "ok"},
                           {"kind", line.kind},
                           {"run", line.run},
                           {"gate", line.gate},
                           {"data", line.data},
                           {"dsse", line.dsse ? canon::Json(line.dsse->tagged()) : canon::Json()},
                           {"anchors", anchors_json(line.anchors)}});
}

}  // namespace

Ledger Ledger::open(const std::string& folder, const std::string& appliance, const std::string& tenant,
                    std::span<const trust::PublicKey> keys) {
  Ledger ledger;
  ledger.folder_ = folder;
  ledger.origin_ = ledger_origin(appliance, tenant);
  ledger.keys_.assign(keys.begin(), keys.end());
  files::make_folders(folder);
  const files::Fd held = lock(folder);
  ledger.load();
  return ledger;
}

void Ledger::load() {
  const std::string path = folder_ + "/approvals.jsonl";
  const std::string text = read_or_empty(path);
  const std::size_t last = text.rfind('\n');
  const std::size_t whole = last == std::string::npos ? 0 : last + 1;
  view_ = parse_ledger(std::string_view(text).substr(0, whole), path);
  checkpoint_ = read_or_empty(folder_ + "/checkpoint.txt");
  if (!checkpoint_.empty()) {
    const std::string at = folder_ + "/checkpoint.txt";
    require_consistent(verify_checkpoint(checkpoint_, origin_, keys_, at), view_.leaves, at);
  } else if (view_.size() > 1) {
    // The first line may lack its checkpoint after a power cut; a second is never written without the first's.
    throw fault::Error(fault::Code::journal_tampered, "ledger", "the ledger's checkpoint is missing", folder_);
  }
  if (whole != text.size()) cut_torn_tail(path, whole);
}

const LedgerLine& Ledger::append(const NewLine& line, const trust::PrivateKey& key, clock::Time now) {
  const files::Fd held = lock(folder_);
  load();
  if (view_.size() > 0 && checkpoint_.empty()) sign_checkpoint(key);
  const std::string prev = view_.leaves.empty() ? std::string(64, '0') : view_.leaves.back().hex();
  const clock::Time at = view_.lines.empty() ? now : std::max(now, view_.lines.back().at);
  const std::string text = line_text(line, view_.size() + 1, prev, at);
  const std::string path = folder_ + "/approvals.jsonl";
  const bool is_new = view_.lines.empty();
  files::crash_point("ledger.before-line");
  append_durably(path, text + "\n");
  if (is_new) files::sync_folder(folder_);
  files::crash_point("ledger.after-line");
  view_ = parse_ledger(read_or_empty(path), path);
  sign_checkpoint(key);
  return view_.lines.back();
}

const std::string& Ledger::sign_checkpoint(const trust::PrivateKey& key) {
  checkpoint_ = checkpoint::sign({origin_, view_.size(), view_.root}, origin_, key);
  files::write_atomically(folder_ + "/checkpoint.txt", checkpoint_, 0600);
  return checkpoint_;
}

}  // namespace stella::approval
