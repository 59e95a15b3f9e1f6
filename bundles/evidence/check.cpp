// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/check.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <set>

#include "bundles/canon/fields.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/evidence/bag.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"

namespace stella::evidence {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 40;

// The list cannot list itself and its signatures; anything else beside it was added, whatever its name begins with.
bool is_about_list(const std::string& path) {
  return path == "SHA256SUMS" || path == "SHA256SUMS.dsse.json" || path == "SHA256SUMS.sshsig";
}

std::string read_small(const files::Fd& root, const std::string& path, std::uint64_t max_bytes) {
  try {
    return files::read_input_beneath(root, path, {max_bytes});
  } catch (const Error& error) {
    if (error.code() == Code::file_not_found) {
      throw Error(Code::evidence_incomplete, "missing", fmt::format("{} is missing", path), path);
    }
    throw Error(Code::evidence_tampered, "kind", error.what(), path);
  }
}

// What lies there must be what is listed: `sha256sum -c` alone is blind to files that somebody added.
void require_same_files(const Sums& sums, const std::vector<files::Entry>& entries) {
  for (const files::Entry& entry : entries) {
    if (entry.kind == files::Kind::folder) continue;
    if (entry.kind != files::Kind::file) {
      throw Error(Code::evidence_tampered, "kind",
                  fmt::format("{} is not a regular file", canon::printable(entry.path)), canon::printable(entry.path));
    }
    if (!sums.contains(entry.path) && !is_about_list(entry.path)) {
      throw Error(Code::evidence_incomplete, "extra",
                  fmt::format("{} is there and nobody sealed it", canon::printable(entry.path)),
                  canon::printable(entry.path), "Remove what was added to the copy, or copy the bag again.");
    }
  }
  std::set<std::string> there;
  for (const files::Entry& entry : entries) there.insert(entry.path);
  const auto require = [&](const std::string& path) {
    if (!there.contains(path))
      throw Error(Code::evidence_incomplete, "missing", fmt::format("{} is missing", path), path);
  };
  for (const auto& row : sums) require(row.first);
  require("SHA256SUMS.sshsig");
}

std::uint64_t hash_files(const files::Fd& root, const Sums& sums) {
  std::uint64_t total = 0;
  for (const auto& [path, expected] : sums) {
    const files::Fd file = files::open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    canon::Sha256 hash;
    files::stream_input(file, path, kMaxFile, [&](std::string_view block) {
      hash.update(block);
      total += block.size();
    });
    if (hash.finish() != expected) {
      throw Error(Code::evidence_tampered, "content", fmt::format("{} is not the file that was sealed", path), path);
    }
  }
  return total;
}

void require_manifests(const files::Fd& root, const Sums& sums) {
  Sums payload, tags;
  for (const auto& row : sums) {
    if (row.first.starts_with("data/"))
      payload.insert(row);
    else if (row.first != "tagmanifest-sha256.txt")
      tags.insert(row);
  }
  const auto same = [&](const std::string& name, const Sums& expected) {
    if (parse_sums(read_small(root, name, kMaxSumsBytes), name) != expected) {
      throw Error(Code::evidence_tampered, "manifest", fmt::format("{} does not list what SHA256SUMS lists", name),
                  name);
    }
  };
  same("manifest-sha256.txt", payload);
  same("tagmanifest-sha256.txt", tags);
}

void require_statement(const files::Fd& root, const canon::Digest& list) {
  const std::string name = "SHA256SUMS.dsse.json";
  const auto envelope = dsse::parse(read_small(root, name, 1 << 20), Code::evidence_tampered, name);
  const auto statement = dsse::parse_statement(envelope, kListType, Code::evidence_tampered, name);
  if (statement.subjects.size() != 1 || statement.subjects.front().digest != list) {
    throw Error(Code::evidence_tampered, "list", "SHA256SUMS is not the list that SHA256SUMS.dsse.json signs",
                "SHA256SUMS");
  }
}

}  // namespace

std::string find_bag(const std::string& path) {
  const files::Fd root = files::open_folder(path);
  const auto has = [](const std::string& folder) {
    const auto entries = files::Fd(::open((folder + "/SHA256SUMS").c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    return static_cast<bool>(entries);
  };
  if (has(path)) return path;
  std::vector<std::string> bags;
  for (const std::string& parent : {path + "/STELLA-EVIDENCE", path}) {
    for (const files::Entry& entry : files::list_tree(parent)) {
      if (entry.kind == files::Kind::folder && entry.path.find('/') == std::string::npos && entry.path.front() != '.' &&
          has(parent + "/" + entry.path)) {
        bags.push_back(parent + "/" + entry.path);
      }
    }
    if (!bags.empty()) break;
  }
  if (bags.size() == 1) return bags.front();
  throw Error(
      bags.empty() ? Code::evidence_incomplete : Code::usage, bags.empty() ? "missing" : "bag",
      bags.empty() ? fmt::format("{} holds no evidence bag (no SHA256SUMS)", path)
                   : fmt::format("{} holds {} bags", path, bags.size()),
      path,
      bags.empty() ? "Give the folder that holds SHA256SUMS." : fmt::format("Name one, for example {}.", bags.front()));
}

Integrity check_integrity(const std::string& bag) {
  const files::Fd root = files::open_folder(bag);
  const std::string list = read_small(root, "SHA256SUMS", kMaxSumsBytes);
  Integrity result{bag, {}, canon::sha256(list), 0};
  require_statement(root, result.list_digest);  // first: a changed list must not accuse the files it lists
  result.sums = parse_sums(list, "SHA256SUMS");
  require_same_files(result.sums, files::list_tree(bag));
  result.bytes = hash_files(root, result.sums);
  require_manifests(root, result.sums);
  return result;
}

std::string read_listed(const Integrity& integrity, const std::string& path, std::uint64_t max_bytes) {
  const auto listed = integrity.sums.find(path);
  if (listed == integrity.sums.end())
    throw Error(Code::evidence_incomplete, "missing", fmt::format("{} is not in the bag", path), path);
  std::string bytes =
      files::read_input_beneath(files::open_folder(integrity.folder), path, {max_bytes, files::Empty::allow});
  if (canon::sha256(bytes) != listed->second) {
    throw Error(Code::evidence_tampered, "content", fmt::format("{} changed while it was read", path), path);
  }
  return bytes;
}

}  // namespace stella::evidence
