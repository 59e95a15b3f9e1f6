// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/surroundings.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "appliance/journal/reserve.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/site/policy.hpp"
#include "mirror/catalog/catalog.hpp"

namespace stella::telemetry {
namespace {

using fault::Code;

double seconds(clock::Duration duration) {
  return static_cast<double>(std::max(duration, clock::Duration(0)).count()) / 1000;
}

void add_policy(const files::Home& home, std::vector<Family>& all) {
  const auto applied = site::load_applied(home);
  const site::Policy& policy = applied ? applied->policy : site::Policy{};
  all.push_back(single("stella_mirror_warn_age_seconds", seconds(policy.mirror_warn_age)));
  all.push_back(single("stella_mirror_max_age_seconds", seconds(policy.mirror_max_age)));
}

void add_mirror(const files::Home& home, clock::Time now, std::vector<Family>& all) {
  const auto current = catalog::Catalog::exists(home) ? catalog::Catalog::open(home).current() : std::nullopt;
  all.push_back(single("stella_mirror_generation", current ? static_cast<double>(current->number) : 0));
  if (current)
    all.push_back(single("stella_mirror_age_seconds",
                         seconds(now - clock::parse_time(current->issued, Code::mirror_digest, "mirror/catalog.db"))));
}

void add_disk(const files::Home& home, std::vector<Family>& all) {
  struct statvfs disk {};
  if (::statvfs(home.runs().c_str(), &disk) != 0)
    throw fault::system_error(errno, "looking at the disk of", home.runs());
  const auto block = static_cast<double>(disk.f_frsize);
  struct stat reserve {};
  const bool is_held = ::lstat((home.runs() + "/.reserve").c_str(), &reserve) == 0 && S_ISREG(reserve.st_mode);
  all.push_back(single("stella_disk_size_bytes", block * static_cast<double>(disk.f_blocks)));
  all.push_back(single("stella_disk_free_bytes", block * static_cast<double>(disk.f_bavail)));
  all.push_back(single("stella_disk_reserve_bytes", is_held ? static_cast<double>(reserve.st_size) : 0));
  all.push_back(single("stella_disk_reserve_wanted_bytes", static_cast<double>(journal::kReserveBytes)));
}

// The numbers of /proc/self/stat after the name in parentheses: field 3 is the first.
std::vector<std::string> own_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  std::istringstream rest(end == std::string::npos ? std::string() : line.substr(end + 1));
  std::vector<std::string> words;
  for (std::string word; rest >> word;) words.push_back(word);
  return words;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string name;
  for (double value = 0; file >> name;) {
    if (name == "btime" && file >> value) return value;
    std::getline(file, name);
  }
  return 0;
}

}  // namespace

std::vector<Family> home_families(const files::Home& home, clock::Time now) {
  std::vector<Family> all;
  Family readable("stella_part_readable");
  const auto part = [&](const std::string& name, const std::function<void(std::vector<Family>&)>& read) {
    std::vector<Family> found;
    bool good = true;
    try {
      read(found);
    } catch (const fault::Error&) {  // said by the metric; what else is known is not held back
      good = false;
    }
    readable.add({name}, good ? 1 : 0);
    if (good) all.insert(all.end(), found.begin(), found.end());
  };
  part("policy", [&](auto& found) { add_policy(home, found); });
  part("mirror", [&](auto& found) { add_mirror(home, now, found); });
  part("disk", [&](auto& found) { add_disk(home, found); });
  all.push_back(std::move(readable));
  return all;
}

std::vector<Family> process_families() {
  constexpr std::size_t kUser = 11, kSystem = 12, kStart = 19, kVirtual = 20, kResident = 21;
  const auto words = own_stat();
  if (words.size() <= kResident) return {};
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK)), page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const auto number = [&](std::size_t place) { return std::strtod(words[place].c_str(), nullptr); };
  std::error_code ignored;
  const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd", ignored), {});
  struct rlimit limit {};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  return {single("process_start_time_seconds", boot_time() + number(kStart) / ticks),
          single("process_cpu_seconds_total", (number(kUser) + number(kSystem)) / ticks),
          single("process_resident_memory_bytes", number(kResident) * page),
          single("process_virtual_memory_bytes", number(kVirtual)),
          single("process_open_fds", static_cast<double>(open)),
          single("process_max_fds", static_cast<double>(limit.rlim_cur))};
}

Family build_family() {
  Family build("stella_build_info");
  build.add({STELLA_VERSION}, 1);
  return build;
}

}  // namespace stella::telemetry
