// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "bundles/archive/names.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/blobs.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/config.hpp"
#include "bundles/packfile/ignore.hpp"
#include "bundles/packfile/layout_tar.hpp"
#include "bundles/packfile/signing.hpp"

namespace stella::packfile {
namespace {

constexpr auto kInvalid = fault::Code::pack_invalid;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The files of the folder that go into the pack, in the order of their paths; sizes and digests come later.
std::vector<FileEntry> list_files(const std::string& folder) {
  const files::Fd root = files::open_folder(folder);
  const std::vector<files::Entry> tree = files::list_tree(folder);
  const bool has_rules = std::any_of(tree.begin(), tree.end(), [](const auto& e) { return e.path == ".packignore"; });
  const IgnoreRules rules = IgnoreRules::parse(
      has_rules ? files::read_input_beneath(root, ".packignore", {65536, files::Empty::allow}) : std::string());
  std::vector<FileEntry> entries;
  for (const files::Entry& entry : tree) {
    if (rules.leaves_out(entry.path, entry.kind == files::Kind::folder)) continue;
    const std::string shown = folder + "/" + canon::printable(entry.path, 200);
    if (entry.kind == files::Kind::link) {
      throw fault::Error(kInvalid, "link", "a pack holds no symbolic links: " + canon::printable(entry.path, 200),
                         shown, "Put the file itself there, or name the link in .packignore.");
    }
    if (entry.kind == files::Kind::other) {
      throw fault::Error(kInvalid, "type", "a pack holds plain files only: " + canon::printable(entry.path, 200), shown,
                         "Remove it, or name it in .packignore.");
    }
    if (entry.kind == files::Kind::file)
      entries.push_back({entry.path, (entry.mode & 0100U) != 0 ? 0755U : 0644U, 0, {}});
  }
  return entries;
}

void check_entries(const std::vector<FileEntry>& entries, const std::string& folder) {
  const archive::Codes codes{kInvalid, folder};
  archive::NameSet names(codes);
  bool has_manifest = false;
  for (const FileEntry& entry : entries) {
    archive::check_path(entry.path, codes);
    names.add(entry.path, archive::Type::file);
    if (!archive::fits_ustar(entry.path)) {
      throw fault::Error(kInvalid, "path", "the path is too long for a pack: " + entry.path, folder,
                         "Keep names under 100 bytes and paths under 255.");
    }
    has_manifest = has_manifest || entry.path == "pack.yaml";
  }
  if (!has_manifest)
    throw fault::Error(kInvalid, "file", "the folder has no pack.yaml, or .packignore leaves it out", folder);
}

// Turns the files of a folder into layers. Each file is opened and read once: its size is taken from the descriptor
// first, and a file that changes under the reader is refused by name.
class Layering {
 public:
  Layering(const std::string& folder, const BlobFolder& blobs)
      : folder_(folder), root_(files::open_folder(folder)), blobs_(blobs) {}

  void measure(FileEntry& entry) {
    const files::Fd file = open(entry);
    entry.size_bytes = files::size_of(file);
    total_ += entry.size_bytes;
    if (total_ > kMaxPackBytes) throw fault::Error(kInvalid, "size", "the pack has more than 8 GiB", folder_);
  }

  Descriptor pack(std::vector<FileEntry>& entries, const std::vector<std::size_t>& layer) {
    BlobFolder::Writer blob = blobs_.begin("layer");
    archive::TarWriter tar([&](std::string_view bytes) { blob.write(bytes); });
    for (const std::size_t index : layer) add(tar, entries[index]);
    tar.finish();
    return blob.finish(kLayerType);
  }

 private:
  [[nodiscard]] files::Fd open(const FileEntry& entry) const {
    files::Fd file = files::open_beneath(root_, entry.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) changed(entry);
    return file;
  }
  [[noreturn]] void changed(const FileEntry& entry) const {
    throw fault::Error(kInvalid, "changed", "the file changed while the pack was built: " + entry.path, folder_,
                       "Let nothing write to the folder and build again.");
  }
  void add(archive::TarWriter& tar, FileEntry& entry) {
    const files::Fd file = open(entry);
    if (files::size_of(file) != entry.size_bytes) changed(entry);
    tar.begin_file(entry.path, entry.mode, entry.size_bytes);
    canon::Sha256 hash;
    std::uint64_t done = 0;
    files::stream_input(file, entry.path, kMaxPackBytes, [&](std::string_view bytes) {
      done += bytes.size();
      if (done > entry.size_bytes) changed(entry);
      hash.update(bytes);
      tar.write(bytes);
    });
    if (done != entry.size_bytes) changed(entry);
    entry.digest = hash.finish();
  }

  std::string folder_;
  files::Fd root_;
  const BlobFolder& blobs_;
  std::uint64_t total_ = 0;
};

}  // namespace

Built build(const std::string& folder, const std::string& name, const std::string& version, const std::string& out,
            const trust::PrivateKey* signer) {
  check_name_version(name, version, folder + "/pack.yaml");
  Config config{name, version, list_files(folder), {}};
  check_entries(config.files, folder);
  const TemporaryFolder spool(folder_of(out));
  const BlobFolder blobs(spool.path());
  Layering layering(folder, blobs);
  for (FileEntry& entry : config.files) layering.measure(entry);
  ImageManifest manifest;
  for (const std::vector<std::size_t>& layer : assign_layers(config.files)) {
    manifest.layers.push_back(layering.pack(config.files, layer));
    config.layers.push_back(manifest.layers.back().digest);
  }
  const std::string config_bytes = write_config(config);
  if (config_bytes.size() > kMaxManifestBytes || manifest.layers.size() > kMaxLayers - kMaxSignatures) {
    throw fault::Error(kInvalid, "size", "the folder has too many files for one pack", folder);
  }
  manifest.config = blobs.put(config_bytes, kConfigType);
  const std::string name_version = name + ":" + version;
  if (signer != nullptr) {
    manifest.layers.push_back(blobs.put(sign_digest(name, version, manifest.config.digest, *signer), kSignatureType));
  }
  const std::uint64_t size = write_layout_tar(blobs, write_manifest(manifest), name_version, out);
  return {name, version, manifest.config.digest, out, size};
}

Built add_signature(const std::string& file, const trust::PrivateKey& signer) {
  const TemporaryFolder spool(folder_of(file));
  const Opened pack = open(file, spool.path());
  const BlobFolder blobs(spool.path());
  ImageManifest manifest = parse_manifest(pack.manifest_bytes, file);
  const Descriptor signature = blobs.put(sign_digest(pack.name, pack.version, pack.digest, signer), kSignatureType);
  const bool known = std::any_of(manifest.layers.begin(), manifest.layers.end(),
                                 [&](const Descriptor& layer) { return layer.digest == signature.digest; });
  if (!known) manifest.layers.push_back(signature);  // Ed25519 is deterministic: the same key gives the same layer
  if (pack.signatures.size() >= kMaxSignatures && !known) {
    throw fault::Error(kInvalid, "size", fmt::format("a pack has at most {} signatures", kMaxSignatures), file);
  }
  const std::uint64_t size = write_layout_tar(blobs, write_manifest(manifest), pack.name_version(), file);
  return {pack.name, pack.version, pack.digest, file, size};
}

}  // namespace stella::packfile
