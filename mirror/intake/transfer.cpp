// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/transfer.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"
#include "mirror/catalog/manifest.hpp"
#include "mirror/intake/volume_reader.hpp"

namespace stella::intake {
namespace {

using fault::Code;
constexpr std::uint64_t kReserve = std::uint64_t{4} << 20;  // for catalog, receipts and metadata
constexpr std::uint64_t kNoteEvery = std::uint64_t{256} << 20;

class Transfer {
 public:
  Transfer(const blobs::Store& store, Feed& feed, const std::vector<volumes::Row>& rows,
           const std::function<void(const std::string&)>& note)
      : store_(store), rows_(rows), note_(note), reader_(feed, rows), batch_(store) {
    for (const volumes::Row& row : rows_) by_digest_[row.blob.digest] = &row;
  }

  Transferred run(std::vector<catalog::Pack>& packs) {
    for (catalog::Pack& pack : packs) read_blobs_of(pack);
    check_room();
    for (const volumes::Row& row : rows_) {
      if (fetched_.contains(row.blob.digest)) continue;
      if (missing_.contains(row.blob.digest)) {
        copy(row, [](std::string_view) {});
      } else {
        reader_.check_frame(row);
      }
    }
    reader_.check_tails();
    batch_.commit();
    return count_;
  }

 private:
  const volumes::Row& need_row(const blobs::Blob& blob, const std::string& at) const {
    const auto found = by_digest_.find(blob.digest);
    if (found == by_digest_.end()) {
      throw fault::Error(Code::mirror_malformed, "missing",
                         fmt::format("the bundle lacks blob {}", blob.digest.tagged()), at);
    }
    if (found->second->blob.size_bytes != blob.size_bytes) {
      throw fault::Error(Code::mirror_digest, "blob",
                         fmt::format("blob {} is said to have two sizes", blob.digest.tagged()), at);
    }
    return *found->second;
  }

  void copy(const volumes::Row& row, const std::function<void(std::string_view)>& also) {
    try {
      batch_.begin(row.blob);
      reader_.fetch(row, [&](std::string_view block) {
        batch_.write(block);
        also(block);
      });
      batch_.finish();
    } catch (const fault::Error& error) {
      if (error.code() != Code::mirror_digest || error.reason() != "blob") throw;
      throw error.located(fmt::format("{}:{}", volumes::volume_name(row.volume), row.offset));
    }
    fetched_.insert(row.blob.digest);
    ++count_.stored_blobs;
    count_.stored_bytes += row.blob.size_bytes;
    if (count_.stored_bytes / kNoteEvery != (count_.stored_bytes - row.blob.size_bytes) / kNoteEvery) {
      note_(fmt::format("{} of {} bytes verified", count_.stored_bytes, missing_bytes_));
    }
    files::crash_point("intake.blob");
  }

  std::string read_manifest(const catalog::Pack& pack) {
    const volumes::Row& row = need_row(pack.manifest, pack.name_version());
    if (store_.holds(pack.manifest)) {
      ++count_.kept_blobs;
      return store_.read(pack.manifest, catalog::kMaxManifest);
    }
    std::string text;
    copy(row, [&](std::string_view block) { text.append(block); });
    return text;
  }

  void read_blobs_of(catalog::Pack& pack) {
    const catalog::Manifest manifest = catalog::parse_manifest(read_manifest(pack), pack.name_version());
    if (manifest.config.digest != pack.digest) {
      throw fault::Error(Code::mirror_digest, "pack",
                         fmt::format("{} is signed as {} and its manifest says {}", pack.name_version(),
                                     pack.digest.tagged(), manifest.config.digest.tagged()),
                         pack.name_version());
    }
    pack.blobs = {manifest.config};
    pack.blobs.insert(pack.blobs.end(), manifest.layers.begin(), manifest.layers.end());
    for (const blobs::Blob& blob : pack.blobs) {
      (void)need_row(blob, pack.name_version());
      if (!needed_.insert(blob.digest).second) continue;
      if (store_.holds(blob)) {
        ++count_.kept_blobs;
      } else {
        missing_.insert(blob.digest);
        missing_bytes_ += blob.size_bytes;
      }
    }
  }

  void check_room() const {
    const std::uint64_t free = files::free_bytes(store_.folder());
    if (missing_bytes_ == 0 || free >= missing_bytes_ + kReserve) return;
    throw fault::Error(
        Code::no_space, "full",
        fmt::format("{} bytes are needed for new blobs and {} are free", missing_bytes_ + kReserve, free),
        store_.folder(),
        "Free space (`stella pack mirror gc` may help) and run the same pull again: verified blobs are kept.");
  }

  const blobs::Store& store_;
  const std::vector<volumes::Row>& rows_;
  const std::function<void(const std::string&)>& note_;
  VolumeReader reader_;
  blobs::Batch batch_;
  std::map<canon::Digest, const volumes::Row*> by_digest_;
  std::set<canon::Digest> needed_, missing_, fetched_;
  std::uint64_t missing_bytes_ = 0;
  Transferred count_;
};

}  // namespace

Transferred transfer(const blobs::Store& store, Feed& feed, const std::vector<volumes::Row>& rows,
                     std::vector<catalog::Pack>& packs, const std::function<void(const std::string&)>& note) {
  Transfer transfer(store, feed, rows, note);
  return transfer.run(packs);
}

}  // namespace stella::intake
