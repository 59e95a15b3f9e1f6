// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/plain.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "appliance/logs/chunk.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"

namespace stella::logs {
namespace {

constexpr std::string_view kEnding = ".log";

std::optional<Plain> named(const std::string& name) {
  if (!name.ends_with(kEnding)) return std::nullopt;
  const std::string_view stem = std::string_view(name).substr(0, name.size() - kEnding.size());
  const auto dot = stem.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const std::string_view digits = stem.substr(dot + 1);
  Plain one{.name = name, .step = std::string(stem.substr(0, dot))};
  const auto end = std::from_chars(digits.begin(), digits.end(), one.number);
  if (end.ec != std::errc() || end.ptr != digits.end() || one.number < 1) return std::nullopt;
  return one;
}

}  // namespace

std::vector<Plain> plain_logs(const std::string& folder) {
  std::vector<Plain> found;
  for (const files::Entry& entry : files::list_tree(folder)) {
    if (entry.kind != files::Kind::file) continue;
    auto one = named(entry.path);
    struct stat info {};
    if (!one || ::lstat((folder + "/" + entry.path).c_str(), &info) != 0) continue;
    one->at = clock::Time(clock::Duration(info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000));
    found.push_back(std::move(*one));
  }
  std::stable_sort(found.begin(), found.end(), [](const Plain& a, const Plain& b) { return a.at < b.at; });
  return found;
}

PlainText::PlainText(const std::string& folder, Plain one)
    : one_(std::move(one)),
      fd_(files::open_input(folder + "/" + one_.name,
                            {std::uint64_t{1} << 40, files::Empty::allow, files::Links::refuse})) {}

std::optional<Piece> PlainText::next() {
  block_.resize(64 << 10);
  const ssize_t got = ::read(fd_.get(), block_.data(), block_.size());
  if (got <= 0) return std::nullopt;
  block_.resize(static_cast<std::size_t>(got));
  const Piece piece{one_.step, one_.number, Stream::out, one_.at, offset_, lines_ + 1, block_, false, {}};
  offset_ += block_.size();
  lines_ += count_lines(block_);
  return piece;
}

}  // namespace stella::logs
