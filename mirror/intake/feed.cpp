// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/feed.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/named.hpp"

namespace stella::intake {
namespace {

namespace fs = std::filesystem;
using fault::Code;
constexpr std::size_t kMaxListed = 100000;

bool exists(const std::string& path) {
  if (files::Bearer* bearer = files::bearer_of(path)) {
    try {
      return bool(bearer->open(files::plain(path)));
    } catch (const fault::Error& error) {
      if (error.code() == Code::file_not_found) return false;
      throw;
    }
  }
  return ::access(path.c_str(), F_OK) == 0;
}

struct Candidate {
  std::string path, source;
  std::int64_t generation = 0;
};

// `<source>-g<N>`, with `.tar` or without; a delta's `-from-g<B>` is left to the publisher's full bundle.
std::optional<Candidate> parse_name(const fs::path& path) {
  std::string name = path.filename().string();
  if (name.ends_with(".tar")) name.resize(name.size() - 4);
  const std::size_t mark = name.rfind("-g");
  if (mark == std::string::npos || name.find("-from-g") != std::string::npos) return std::nullopt;
  Candidate candidate{.path = path.string(), .source = name.substr(0, mark)};
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + mark + 2, end, candidate.generation);
  if (error != std::errc() || stop != end || candidate.generation < 1) return std::nullopt;
  return candidate;
}

files::Fd open_to_list(const std::string& folder) {
  if (files::Bearer* bearer = files::bearer_of(folder)) return bearer->open(files::plain(folder));
  files::Fd own(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) throw fault::system_error(errno, "listing", folder);
  return own;
}

std::vector<Candidate> list_candidates(const std::string& folder) {
  files::Fd open = open_to_list(folder);
  const files::Handle<DIR, ::closedir> entries(::fdopendir(open.get()));
  if (!entries) throw fault::system_error(errno, "listing", folder);
  (void)open.release();  // the handle closes it
  std::vector<Candidate> found;
  std::size_t seen = 0;
  for (errno = 0; const dirent* entry = ::readdir(entries.get()); errno = 0) {
    if (++seen > kMaxListed)
      throw fault::Error(Code::mirror_malformed, "collision", fmt::format("{} holds too many files", folder), folder);
    if (auto candidate = parse_name(folder + "/" + entry->d_name)) found.push_back(std::move(*candidate));
  }
  if (errno != 0) throw fault::system_error(errno, "listing", folder);
  return found;
}

// The names only steer: whatever is chosen is verified, and an older bundle is refused as one.
std::string choose(const std::string& folder, const std::string& source) {
  std::vector<Candidate> found = list_candidates(folder);
  const auto is_other = [&](const Candidate& candidate) { return candidate.source != source; };
  if (!source.empty() && std::ranges::any_of(found, [&](const Candidate& c) { return !is_other(c); })) {
    std::erase_if(found, is_other);
  }
  if (found.empty()) {
    throw fault::Error(Code::mirror_malformed, "missing", folder + " holds no full mirror bundle", folder,
                       "Have the publisher run `stella mirror publish DIR --to` this medium.");
  }
  const auto newest = std::ranges::max_element(found, {}, &Candidate::generation);
  return newest->path;
}

std::unique_ptr<Feed> open_folder_or_tar(const std::string& path) {
  return files::is_folder(path) ? open_folder_feed(path) : open_tar_feed(path);
}

// Octal escapes of /proc/self/mountinfo (space, tab, newline, backslash).
std::string unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

void Part::read(std::uint64_t offset, std::span<char> out) const {
  if (offset > size_bytes || out.size() > size_bytes - offset) {
    throw fault::Error(Code::mirror_malformed, "truncated", name + " ends before its last blob", name);
  }
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(base + offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading", name);
    if (count == 0)
      throw fault::Error(Code::mirror_malformed, "truncated", name + " became shorter while it was read", name);
    done += static_cast<std::size_t>(count);
  }
}

std::unique_ptr<Feed> open_feed(const std::string& path, const std::string& source) {
  struct stat info {};
  if (files::bearer_of(path) == nullptr && ::stat(path.c_str(), &info) != 0)
    throw fault::system_error(errno, "opening", path);
  if (!files::is_folder(path)) return open_tar_feed(path);
  if (exists(path + "/STELLA-MIRROR")) return open_folder_or_tar(choose(path + "/STELLA-MIRROR", source));
  if (exists(path + "/metadata") || exists(path + "/bundle.json")) return open_folder_feed(path);
  if (exists(path + "/oci-layout")) {
    throw fault::Error(
        Code::mirror_malformed, "oci", path + " is a plain OCI layout, which carries no mirror metadata", path,
        "Bring a bundle written by `stella mirror publish`; taking plain layouts comes with a later version.");
  }
  return open_folder_or_tar(choose(path, source));
}

std::string find_medium() {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skip, point;
    fields >> skip >> skip >> skip >> skip >> point;
    point = unescape(point);
    const bool listed = std::ranges::find(found, point) != found.end();
    if (point != "/" && !listed && exists(point + "/STELLA-MIRROR")) found.push_back(point);
  }
  if (found.size() == 1) return found.front();
  std::string what = "no mounted medium has a STELLA-MIRROR folder";
  if (!found.empty()) what = fmt::format("{} mounted media have a STELLA-MIRROR folder:", found.size());
  for (const std::string& point : found) what += " " + canon::printable(point, 200);
  throw fault::Error(Code::usage, "medium", what, "--from", "Name the medium with --from PATH.");
}

}  // namespace stella::intake
