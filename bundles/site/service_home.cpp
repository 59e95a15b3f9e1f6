// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/service_home.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"

namespace stella::site {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFile = 16384;
constexpr std::size_t kMaxPath = 4000;

std::string absolute_path(canon::Fields& fields, std::string_view field) {
  std::string path = fields.text(field, kMaxPath);
  if (!path.starts_with('/')) fields.fail("an absolute path is needed", field);
  return path;
}

}  // namespace

ServiceHome parse_service_home(const std::string& text, const std::string& name) {
  const canon::Json object = canon::parse_json(text, Code::home_unsafe, name);
  canon::Fields fields(object, Code::home_unsafe, "service-file", name);
  (void)fields.choice("schema", {"stella.service.v1"});
  ServiceHome service{absolute_path(fields, "home"), absolute_path(fields, "socket"),
                      fields.maybe_text("group", 64).value_or("")};
  fields.finish();
  return service;
}

std::optional<ServiceHome> load_service_home(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw fault::system_error(errno, "looking at", path);  // fails closed
  }
  const files::Fd file = files::open_input(path, {.max_bytes = kMaxFile, .links = files::Links::refuse});
  if (::fstat(file.get(), &info) != 0) throw fault::system_error(errno, "looking at", path);
  if (info.st_uid != 0 || (info.st_mode & 022) != 0)
    throw Error(Code::home_unsafe, "service-file",
                fmt::format("{} must belong to root and be writable by nobody else", path), path,
                fmt::format("As root: chown root:root {0} && chmod 644 {0}", path));
  return parse_service_home(files::read_stream(file.get(), kMaxFile, path), path);
}

bool is_service_home(const files::Home& home) {
  const auto service = load_service_home();
  if (!service) return false;
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(service->home.c_str(), nullptr), &std::free);
  return real && home.path() == real.get();
}

std::string home_kind(const files::Home& home) {
  return is_service_home(home) ? "service" : "personal";
}

}  // namespace stella::site
