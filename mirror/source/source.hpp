// SPDX-License-Identifier: Apache-2.0
// The outside half of the mirror: make one, add packs, publish a generation. One writer per folder; one thread.
//
// Every role's version is the generation. Lifetimes: root P1Y, targets and channels P90D, snapshot P30D, timestamp P7D.
// Publishing without changes writes the last generation again, until its timestamp is half-way to its end.
// Errors: ERR_USAGE (threshold, channel, role), ERR_FILE_UNSUITABLE (exists, size), ERR_MIRROR_DIGEST reason changed,
// ERR_PACK_*, ERR_KEY_UNUSABLE, ERR_MEDIA_FULL, ERR_MIRROR_BUSY.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bundles/clock/time.hpp"
#include "mirror/source/role_keys.hpp"
#include "mirror/source/state.hpp"

namespace stella::source {

struct InitRequest {
  std::string folder, name;
  std::vector<std::string> root_keys;  // files, at least `threshold` of them private
  int threshold = 1;
  std::map<std::string, std::string> role_keys;  // role -> file
  std::uint64_t kdf_memory = trust::kKdfMemoryDefault;
};
struct Initialised {
  std::string root_file;
  canon::Digest root;  // what the site policy lists
};
Initialised init(const InitRequest& request, const clock::Clock& clock, trust::Passphrases& passphrases);

struct AddRequest {
  std::string folder, channel = kDefaultChannel;
  std::vector<std::string> packs;  // .pack files
  std::uint64_t kdf_memory = trust::kKdfMemoryDefault;
};
struct Added {
  std::string name_version;
  canon::Digest digest;
  bool is_new = false, is_signed = false;
};
std::vector<Added> add(const AddRequest& request, trust::Passphrases& passphrases);

struct Published {
  std::int64_t generation = 0;
  bool is_new = false;
  std::string path;
  std::uint64_t packs = 0, blobs = 0, bytes = 0;
};
// `to`: a folder that exists (a medium's mount point), or a file ending in .tar.
Published publish(const std::string& folder, const std::string& to, const clock::Clock& clock,
                  trust::Passphrases& passphrases, const std::function<void(const std::string&)>& note);

}  // namespace stella::source
