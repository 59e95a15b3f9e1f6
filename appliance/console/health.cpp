// SPDX-License-Identifier: Apache-2.0
// /healthz: the process answers. /readyz: it can do its work: the journal opens and disk space is held back.
#include <sys/stat.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "bundles/files/write.hpp"

namespace stella::console {
namespace {

constexpr std::uint64_t kLeastFree = 64 << 20;

http::Response health(Desk&, const Visit&) {
  return http::text_response(200, "ok\n");
}

http::Response ready(Desk& desk, const Visit&) {
  canon::Json checks = {{"journal", false}, {"reserve", false}, {"space", false}};
  try {
    (void)desk.journal().list({.limit = 1});
    checks["journal"] = true;
    struct stat found {};
    checks["reserve"] = ::stat((desk.home().runs() + "/.reserve").c_str(), &found) == 0;
    checks["space"] = files::free_bytes(desk.home().runs()) >= kLeastFree;
  } catch (const fault::Error&) {
    desk.drop_journal();  // tried anew next time
  }
  bool all = true;
  for (const auto& check : checks) all = all && check.get<bool>();
  return json_response({{"ready", all}, {"checks", checks}}, all ? 200 : 503);
}

}  // namespace

void add_health_routes(Routes& routes) {
  routes.add(
      {.method = "GET", .pattern = "/healthz", .need = Need::open, .act = health, .where = http::Where::server_thread});
  routes.add({.method = "GET", .pattern = "/readyz", .need = Need::open, .act = ready});
}

}  // namespace stella::console
