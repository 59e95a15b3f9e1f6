// SPDX-License-Identifier: Apache-2.0
// The console's own style, script and icon, compiled in: one file each, named by its digest, so that a browser may keep
// it for ever. Made from page/assets/ by cmake/assets.py. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace stella::page {

struct Asset {
  std::string_view name;  // console.css
  std::string_view path;  // /console/assets/console-0123456789ab.css
  std::string_view type;  // text/css; charset=utf-8
  std::string_view bytes;
};

[[nodiscard]] std::span<const Asset> assets();
// By its path; null: there is none.
[[nodiscard]] const Asset* find_asset(std::string_view path);
// Where the asset of this name is served.
[[nodiscard]] std::string_view path_of(std::string_view name);

}  // namespace stella::page
