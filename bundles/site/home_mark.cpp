// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"

namespace stella::site {
namespace {

constexpr auto kCode = fault::Code::home_unsafe;

std::string id_path(const files::Home& home) {
  return home.site() + "/home.id";
}

std::uint64_t inode_of(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) throw fault::system_error(errno, "looking at the home", path);
  return info.st_ino;
}

std::string mark_with(const files::Home& home, std::uint64_t id_inode) {
  std::string machine;
  try {
    machine = files::read_input("/etc/machine-id", {.max_bytes = 256, .empty = files::Empty::allow});
  } catch (const fault::Error&) {
    machine.clear();  // a machine without one: the inode numbers must do
  }
  // Inode numbers as text: some file systems use all 64 bits, more than a JSON number holds.
  return canon::sha256(canon::canonical({{"machine", machine},
                                         {"home", std::to_string(inode_of(home.path()))},
                                         {"id", std::to_string(id_inode)}}))
      .tagged();
}

std::string recorded_mark(const files::Home& home) {
  const std::string path = id_path(home);
  const canon::Json object =
      canon::parse_json(files::read_input(path, {.max_bytes = 4096, .links = files::Links::refuse}), kCode, path);
  canon::Fields fields(object, kCode, "home-id", path);
  std::string mark = fields.text("mark", 80);
  (void)fields.choice("schema", {"stella.home.v1"});
  fields.finish();
  return mark;
}

}  // namespace

void settle_home(const files::Home& home) {
  files::make_folders(home.site());
  // A rename keeps the inode number, so the file can name its own.
  files::AtomicFile file(id_path(home), 0600);
  const std::string mark = mark_with(home, inode_of(file.temporary_path()));
  file.write(canon::pretty({{"schema", "stella.home.v1"}, {"mark", mark}}));
  file.commit();
}

HomeMark look_at_home(const files::Home& home) {
  struct stat info {};
  if (::lstat(id_path(home).c_str(), &info) != 0) {
    if (errno != ENOENT) throw fault::system_error(errno, "looking at the home", id_path(home));
    settle_home(home);
  }
  HomeMark result{mark_with(home, inode_of(id_path(home))), false};
  result.moved = recorded_mark(home) != result.mark;
  return result;
}

}  // namespace stella::site
