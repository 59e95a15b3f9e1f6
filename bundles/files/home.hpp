// SPDX-License-Identifier: Apache-2.0
// STELLA_HOME: where it is, that it is safe, and the folders it holds (contract section 1).
#pragma once

#include <string>

namespace stella::files {

class Home {
 public:
  // `path` empty: $STELLA_HOME, else ~/.stella. Made with mode 0700 when it is missing. ERR_HOME_UNSAFE when it is not
  // a folder, belongs to another uid, or group or others can write to it.
  static Home open(const std::string& path = {});

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string site() const { return path_ + "/site"; }
  [[nodiscard]] std::string mirror() const { return path_ + "/mirror"; }
  [[nodiscard]] std::string packs() const { return path_ + "/packs"; }
  [[nodiscard]] std::string images() const { return path_ + "/images"; }
  [[nodiscard]] std::string vault() const { return path_ + "/vault"; }
  [[nodiscard]] std::string runs() const { return path_ + "/runs"; }
  [[nodiscard]] std::string seen() const { return path_ + "/seen"; }

 private:
  explicit Home(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace stella::files
