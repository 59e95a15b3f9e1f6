// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/run_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxPlan = 256 << 20;

}  // namespace

http::Response send_beneath(const std::string& folder, const std::string& path) {
  const Error none(Code::file_not_found, "file", "there is no such file", canon::printable(path, 200));
  files::Fd fd;
  struct stat found {};
  try {
    fd = files::open_beneath(files::open_folder(folder), path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (const Error&) {
    throw none;
  }
  if (::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) throw none;
  http::Response response;
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Content-Disposition", fmt::format("attachment; filename*=UTF-8''{}",
                                                          http::escape_segment(path.substr(path.rfind('/') + 1)))}};
  response.file = std::move(fd);
  response.file_bytes = static_cast<std::uint64_t>(found.st_size);
  return response;
}

http::Response send_artifact(const journal::RunRow& row, const std::string& path) {
  return send_beneath(row.folder + "/artifacts", path);
}

std::string plan_text(const journal::RunRow& row) {
  return files::read_input(row.folder + "/plan.json", {kMaxPlan, files::Empty::refuse, files::Links::refuse});
}

}  // namespace stella::console
