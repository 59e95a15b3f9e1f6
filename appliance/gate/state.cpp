// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fcntl.h>

#include <optional>

#include "appliance/gate/gate.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"

namespace stella::gate {
namespace {

using canon::Json;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 50;

// Steps may make names that are no UTF-8; JSON has none, so those stand in hex under another member.
void put_name(Json& row, const std::string& member, const std::string& name) {
  try {
    (void)canon::canonical(Json(name));
    row[member] = name;
  } catch (const fault::Error&) {
    row[member + "Hex"] = canon::to_hex({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  }
}

canon::Digest digest_of(const files::Fd& root, const files::Entry& entry) {
  const files::Fd file = files::open_beneath(root, entry.path, O_RDONLY | O_NONBLOCK);
  canon::Sha256 hasher;
  files::stream_input(file, entry.path, kNoLimit, [&](std::string_view bytes) { hasher.update(bytes); });
  return hasher.finish();
}

std::string name_of(files::Kind kind) {
  switch (kind) {
    case files::Kind::file:
      return "file";
    case files::Kind::folder:
      return "folder";
    case files::Kind::link:
      return "link";
    case files::Kind::other:
      return "other";
  }
  return "other";
}

canon::Digest listing_of(const std::string& folder) {
  Json listing = Json::array();
  const std::vector<files::Entry> entries = files::list_tree(folder);
  std::optional<files::Fd> root;
  if (!entries.empty()) root = files::open_folder(folder);
  for (const files::Entry& entry : entries) {
    Json row = {{"type", name_of(entry.kind)}, {"mode", fmt::format("{:04o}", entry.mode)}};
    put_name(row, "path", entry.path);
    if (entry.kind == files::Kind::link) put_name(row, "target", entry.link_target);
    if (entry.kind == files::Kind::file) {
      row["size"] = entry.size_bytes;
      row["sha256"] = digest_of(*root, entry).hex();
    }
    listing.push_back(std::move(row));
  }
  return canon::sha256(canon::canonical(listing));
}

}  // namespace

State state_of(const std::string& run_folder, const Json& outputs, std::int64_t journal_seq,
               const std::string& journal_head) {
  return {journal_seq, journal_head, listing_of(run_folder + "/work"), listing_of(run_folder + "/artifacts"),
          canon::sha256(canon::canonical(outputs))};
}

}  // namespace stella::gate
