// SPDX-License-Identifier: Apache-2.0
// Names that every file system and every viewer bears: [A-Za-z0-9._-], unique after case folding, no Windows device, no
// file type that makes a viewer call out. The originals stand in names.json. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::evidence {

class SafeNames {
 public:
  // A path of parts for `original` beneath `prefix` (`data/artifacts`): parts <= 100 bytes, whole <= 200. The same
  // original gives the same name; another one never does.
  std::string name(const std::string& prefix, const std::string& original);
  // names.json: {"names": [{"name", "original"}]} of those that had to change, sorted.
  [[nodiscard]] canon::Json changed() const;

 private:
  std::map<std::string, std::string> given_;    // prefix + original -> name
  std::set<std::string> taken_;                 // folded
  std::map<std::string, std::string> changed_;  // name -> original
};

}  // namespace stella::evidence
