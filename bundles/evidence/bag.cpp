// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/bag.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/dsse/envelope.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "bundles/sshsig/signature.hpp"

namespace stella::evidence {
namespace {

constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 40;

std::string parent_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/'));
}

bool is_payload(const std::string& path) {
  return path.starts_with("data/");
}

Sums only(const Sums& all, bool payload) {
  Sums some;
  for (const auto& row : all) {
    if (is_payload(row.first) == payload) some.insert(row);
  }
  return some;
}

void sync_file_system(const std::string& folder) {
  const files::Fd fd = files::open_folder(folder);
  if (::syncfs(fd.get()) != 0) throw fault::system_error(errno, "syncing", folder);
}

}  // namespace

std::string bag_name(const std::string& tenant, clock::Time sealed_at, const canon::Digest& plan_hash) {
  return fmt::format("{}_{}_{}", tenant, clock::format_compact(sealed_at), plan_hash.hex().substr(0, 8));
}

BagWriter::BagWriter(std::string folder) : folder_(std::move(folder)) {
  partial_ = parent_of(folder_) + "/.partial-" + folder_.substr(folder_.find_last_of('/') + 1);
  files::make_folders(parent_of(folder_));
  files::remove_tree(partial_);
  files::make_folders(partial_ + "/data");
}

BagWriter::~BagWriter() {
  if (finished_) return;
  try {
    files::remove_tree(partial_);
  } catch (const fault::Error&) {  // the next BagWriter for this place tries again
  }
}

void BagWriter::put(const std::string& path, std::string_view bytes) {
  const std::string target = partial_ + "/" + path;
  files::make_folders(parent_of(target));
  const files::Fd file(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) throw fault::system_error(errno, "writing", target);
  files::write_all(file.get(), bytes, target);
}

void BagWriter::add(const std::string& path, std::string_view bytes) {
  put(path, bytes);
  sums_[path] = canon::sha256(bytes);
  if (is_payload(path)) {
    payload_bytes_ += bytes.size();
    ++payload_files_;
  }
}

canon::Digest BagWriter::add_file(const std::string& path, const std::string& root, const std::string& relative) {
  const files::Fd folder = files::open_folder(root);
  const files::Fd source = files::open_beneath(folder, relative, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat info {};
  if (::fstat(source.get(), &info) != 0) throw fault::system_error(errno, "looking at", relative);
  if (!S_ISREG(info.st_mode)) {
    throw fault::Error(fault::Code::file_unsuitable, "kind", fmt::format("{} is not a regular file", relative),
                       relative);
  }
  return add_stream(path, [&](const Take& take) { files::stream_input(source, relative, kMaxFile, take); });
}

canon::Digest BagWriter::add_stream(const std::string& path, const std::function<void(const Take&)>& produce) {
  const std::string target = partial_ + "/" + path;
  files::make_folders(parent_of(target));
  const files::Fd file(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) throw fault::system_error(errno, "writing", target);
  canon::Sha256 hash;
  std::uint64_t size = 0;
  produce([&](std::string_view block) {
    hash.update(block);
    files::write_all(file.get(), block, target);
    size += block.size();
  });
  sums_[path] = hash.finish();
  payload_bytes_ += is_payload(path) ? size : 0;
  payload_files_ += is_payload(path) ? 1 : 0;
  return sums_[path];
}

canon::Digest BagWriter::finish(const About& about, const trust::PrivateKey& appliance) {
  add("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  add("bag-info.txt",
      fmt::format("Bag-Software-Agent: {}\nBagging-Date: {}\nExternal-Identifier: {}\nPayload-Oxum: {}.{}\n",
                  about.software, clock::format(about.sealed_at).substr(0, 10), about.run, payload_bytes_,
                  payload_files_));
  add("manifest-sha256.txt", format_sums(only(sums_, true)));
  add("tagmanifest-sha256.txt", format_sums(only(sums_, false)));
  const std::string list = format_sums(sums_);
  put("SHA256SUMS", list);
  const canon::Digest digest = canon::sha256(list);
  const dsse::Statement statement{
      {{"SHA256SUMS", digest}},
      std::string(kListType),
      {{"run", about.run},
       {"tenant", about.tenant},
       {"state", about.state},
       {"number", about.number},
       {"previous", about.previous.empty() ? canon::Json(nullptr) : canon::Json(about.previous)},
       {"home", about.home_kind}}};
  put("SHA256SUMS.dsse.json", dsse::serialise(dsse::sign(statement, appliance)));
  put("SHA256SUMS.sshsig", sshsig::sign(appliance, sshsig::kEvidence, list));
  files::crash_point("evidence.before-sync");
  sync_file_system(partial_);
  files::crash_point("evidence.before-rename");
  if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, folder_.c_str(), 1U) != 0) {  // RENAME_NOREPLACE
    throw fault::system_error(errno, "naming the bag", folder_);
  }
  finished_ = true;
  files::sync_folder(parent_of(folder_));
  files::crash_point("evidence.after-rename");
  return digest;
}

}  // namespace stella::evidence
