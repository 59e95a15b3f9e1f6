// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "appliance/image/image.hpp"
#include "appliance/image/listing.hpp"
#include "appliance/image/unpacking.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::image {
namespace {

using fault::Code;
using fault::Error;

constexpr std::string_view kUnfinished = ".unpacking-";

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::string read_cached(const std::string& path, std::uint64_t max_bytes, const std::string& fix) {
  try {
    return files::read_input(path, {max_bytes, files::Empty::refuse, files::Links::refuse});
  } catch (const Error& error) {
    throw Error(Code::pack_hash_mismatch, "image", fmt::format("the unpacked image was changed: {}", error.what()),
                path, fix);
  }
}

// Everything is held against the digest that the plan pins, and the tree against its listing.
Prepared open_cached(const pack::Runtime& runtime, const std::string& place) {
  const std::string fix =
      fmt::format("Find out who wrote there; then remove {} and try again: it is unpacked anew.", place);
  const auto require = [&](const canon::Digest& digest, const canon::Digest& wanted, const char* file) {
    if (digest != wanted)
      throw Error(Code::pack_hash_mismatch, "image", fmt::format("the unpacked image was changed: {}", file), place,
                  fix);
  };
  const std::string manifest_bytes = read_cached(place + "/manifest.json", kMaxDocument, fix);
  require(canon::sha256(manifest_bytes), runtime.digest, "manifest.json");
  const Manifest manifest = parse_manifest(manifest_bytes, place + "/manifest.json");
  const std::string config_bytes = read_cached(place + "/config.json", kMaxDocument, fix);
  require(canon::sha256(config_bytes), manifest.config.digest, "config.json");
  const std::string listing = read_cached(place + "/tree.list", kMaxListing, fix);
  require_listed(place + "/rootfs", listing, fix);
  return {place + "/rootfs", parse_config(config_bytes, place + "/config.json").env, canon::sha256(listing), 0};
}

files::Fd lock(const files::Home& home) {
  const std::string path = home.images() + "/.lock";
  files::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw fault::system_error(errno, "opening", path);
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw fault::system_error(errno, "locking", path);
  return file;
}

// What a process that died left behind; whoever unpacks holds the lock.
void remove_unfinished(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kUnfinished)) files::remove_tree(folder + "/" + name);
  }
}

void require_machine(const Config& config, const std::string& at) {
  if (config.os == "linux" && config.architecture == machine()) return;
  throw Error(Code::pack_invalid, "platform",
              fmt::format("the image is for {}/{}, this machine is linux/{}", canon::printable(config.os, 40),
                          canon::printable(config.architecture, 40), machine()),
              at, fmt::format("Pin an image for linux/{}.", machine()));
}

void sync_all(const std::string& folder) {
  const files::Fd fd = files::open_folder(folder);
  if (::syncfs(fd.get()) != 0) throw fault::system_error(errno, "writing to the disk", folder);
}

// A folder that goes away unless it was moved to its place.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) { files::make_folders(path_); }
  Scratch(Scratch&&) = delete;
  ~Scratch() {
    try {
      files::remove_tree(path_);
    } catch (const Error&) {  // the next unpacking takes it away
    }
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

std::size_t unpack_to(const std::string& place, const Found& found, const files::Home& home) {
  const Scratch scratch(fmt::format("{}/{}{}", home.images(), kUnfinished, canon::random_hex(8)));
  const Unpacked unpacked = unpack(found, scratch.path());
  files::write_atomically(scratch.path() + "/manifest.json", found.manifest_bytes, 0600);
  files::write_atomically(scratch.path() + "/config.json", found.config_bytes, 0600);
  files::write_atomically(scratch.path() + "/tree.list", unpacked.listing, 0600);
  sync_all(scratch.path());
  files::crash_point("image.unpacked");
  if (std::rename(scratch.path().c_str(), place.c_str()) != 0) throw fault::system_error(errno, "moving to", place);
  files::sync_folder(home.images());
  files::crash_point("image.kept");
  return unpacked.left_out;
}

}  // namespace

Prepared prepare(const pack::Runtime& runtime, const packfile::Opened& pack, const files::Home& home) {
  const std::string place = home.images() + "/" + runtime.digest.hex();
  if (exists(place)) return open_cached(runtime, place);
  files::make_folders(home.images());
  const files::Fd held = lock(home);
  std::size_t left_out = 0;
  if (!exists(place)) {
    remove_unfinished(home.images());
    std::vector<Layout> layouts = layouts_in_pack(pack, runtime.name);
    layouts.push_back(layout_of_registry(home));
    const Found found = find(runtime, layouts);
    require_machine(found.config, found.shown);
    left_out = unpack_to(place, found, home);
  }
  Prepared prepared = open_cached(runtime, place);
  prepared.left_out = left_out;
  return prepared;
}

}  // namespace stella::image
