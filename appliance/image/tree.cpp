// SPDX-License-Identifier: Apache-2.0
#include "appliance/image/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "bundles/canon/fields.hpp"

namespace stella::image {
namespace {

constexpr int kMostLinks = 40;  // on the way to a folder, as in Linux
constexpr std::uint64_t kMaxNames = std::uint64_t{256} << 20;
constexpr std::size_t kMaxPath = 2048;
constexpr std::uint64_t kMostLooks = 100000000;  // at nodes, for whiteouts: a few seconds
constexpr std::string_view kWhiteout = ".wh.", kOpaque = ".wh..wh..opq", kReserved = ".wh..wh.";

std::deque<std::string> parts_of(std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0 && path.substr(0, end) != ".") parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

}  // namespace

void Tree::fail(const char* reason, const std::string& what) const {
  throw fault::Error(fault::Code::pack_invalid, reason, what, at_);
}

// Where the folder really is: links on the way are followed inside the image, as they would be by a program in it.
std::optional<std::string> Tree::real_folder(std::string_view folder, Missing missing, const std::string& shown) {
  std::deque<std::string> left = parts_of(folder);
  std::string at;
  for (int links = 0; !left.empty();) {
    const std::string part = std::move(left.front());
    left.pop_front();
    if (part == "..") {
      if (at.empty()) fail("link", shown + " lies behind a link that leads out of the image");
      at = parent_of(at);
      continue;
    }
    const std::string next = joined(at, part);
    const auto found = nodes_.find(next);
    if (found == nodes_.end()) {
      if (missing == Missing::leave) return std::nullopt;
      put(next, {});
    } else if (found->second.kind == Kind::file) {
      fail("path", fmt::format("{} lies beneath {}, which is a file", shown, canon::printable(next, 200)));
    } else if (found->second.kind == Kind::link) {
      if (++links > kMostLinks) fail("link", shown + " lies behind links that lead in a circle");
      const std::string& target = found->second.target;
      if (target.starts_with('/')) at.clear();
      const std::deque<std::string> more = parts_of(target);
      left.insert(left.begin(), more.begin(), more.end());
      continue;
    }
    at = next;
  }
  return at;
}

std::optional<std::string> Tree::real(const std::string& path, Missing missing) {
  const std::string shown = canon::printable(path, 200);
  const auto folder = real_folder(parent_of(path), missing, shown);
  if (!folder) return std::nullopt;
  std::string found = joined(*folder, name_of(path));
  if (found.size() > kMaxPath) fail("path", shown + " is too long");
  return found;
}

void Tree::put(const std::string& path, Node node) {
  node.layer = layer_;
  const auto [place, is_new] = nodes_.insert_or_assign(path, std::move(node));
  if (is_new) name_bytes_ += path.size() + place->second.target.size() + 100;
  if (name_bytes_ > kMaxNames) fail("size", "the names in the image have more than 256 MiB");
}

void Tree::remove(const std::string& path) {
  nodes_.erase(path);
  const std::string first = path + "/", beyond = path + "0";  // `0` comes after `/`
  nodes_.erase(nodes_.lower_bound(first), nodes_.lower_bound(beyond));
}

void Tree::remove_older(const std::string& path) {
  auto at = path.empty() ? nodes_.begin() : nodes_.lower_bound(path + "/");
  const auto end = path.empty() ? nodes_.end() : nodes_.lower_bound(path + "0");
  while (at != end) {
    // A folder below that this layer put something into is there because of that.
    const std::string inner = at->first + "/";
    const auto next = std::next(at);
    bool is_kept = at->second.layer == layer_;
    for (auto child = nodes_.lower_bound(inner); !is_kept && child != end && child->first.starts_with(inner); ++child)
      is_kept = child->second.layer == layer_ || (looked_at_++, false);
    if (++looked_at_ > kMostLooks) fail("size", "the whiteouts of the image take too long to work out");
    at = is_kept ? next : nodes_.erase(at);
  }
}

void Tree::folder(const std::string& path) {
  if (path.empty()) return;
  const std::string place = *real(path, Missing::make);
  const auto found = nodes_.find(place);
  if (found != nodes_.end() && found->second.kind == Kind::folder) {
    found->second.layer = layer_;
    return;
  }
  put(place, {});
}

void Tree::file(const std::string& path, std::size_t content) {
  const std::string place = *real(path, Missing::make);
  remove(place);
  put(place, {Kind::file, layer_, content, {}});
}

void Tree::link(const std::string& path, const std::string& target) {
  const std::string place = *real(path, Missing::make);
  std::size_t depth = target.starts_with('/') ? 0 : parts_of(parent_of(place)).size();
  for (const std::string& part : parts_of(target)) {
    if (part == ".." && depth == 0)
      fail("link", fmt::format("{} is a link that leads out of the image", canon::printable(path, 200)));
    depth = part == ".." ? depth - 1 : depth + 1;
  }
  remove(place);
  put(place, {Kind::link, layer_, 0, target});
}

void Tree::hard_link(const std::string& path, const std::string& existing) {
  const auto source = real(existing, Missing::leave);
  const auto found = source ? nodes_.find(*source) : nodes_.end();
  if (found == nodes_.end() || found->second.kind == Kind::folder)
    fail("link", fmt::format("{} is a hard link to {}, which is no file of the image", canon::printable(path, 200),
                             canon::printable(existing, 200)));
  const Node node = found->second;
  const std::string place = *real(path, Missing::make);
  if (place == *source) return;
  remove(place);
  put(place, node);
}

bool Tree::whiteout(const std::string& path) {
  const std::string_view name = name_of(path);
  if (!name.starts_with(kWhiteout)) return false;
  if (name == kOpaque) {
    const auto folder = real_folder(parent_of(path), Missing::leave, canon::printable(path, 200));
    if (folder) remove_older(*folder);
    return true;
  }
  if (name.starts_with(kReserved)) return true;  // AUFS's own notes; nothing of the image
  const std::string_view gone = name.substr(kWhiteout.size());
  if (gone.empty() || gone == "." || gone == "..")
    fail("path", fmt::format("{} is no whiteout of anything", canon::printable(path, 200)));
  const auto place = real(joined(parent_of(path), gone), Missing::leave);
  const auto found = place ? nodes_.find(*place) : nodes_.end();
  if (found == nodes_.end()) return true;
  remove_older(*place);
  const auto inner = nodes_.lower_bound(*place + "/");
  const bool is_used = inner != nodes_.end() && inner->first.starts_with(*place + "/");
  if (found->second.layer != layer_ && !is_used) nodes_.erase(found);
  return true;
}

}  // namespace stella::image
