// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/gauges.hpp"

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/console/serve.hpp"
#include "appliance/trace/folder.hpp"
#include "bundles/files/write.hpp"

namespace stella::console {
namespace {

constexpr std::chrono::seconds kFresh{1}, kTextfileEvery{15}, kTracesEvery{60};

http::Response show_metrics(Desk& desk, const Visit& visit) {
  return {.status = 200,
          .headers = {{"Content-Type", std::string(telemetry::kContentType)}},
          .body = desk.office().gauges.text(visit.now)};
}

}  // namespace

std::string Gauges::read(telemetry::Place place, clock::Time now) {
  try {
    if (!metrics_) metrics_.emplace(home_);
    return metrics_->text(now, place);
  } catch (const fault::Error&) {
    metrics_.reset();
    throw;
  }
}

std::string Gauges::text(clock::Time now) {
  const std::lock_guard held(one_at_a_time_);
  if (!text_.empty() && now >= made_ && now - made_ < kFresh) return text_;
  text_ = read(telemetry::Place::process, now);
  made_ = now;
  return text_;
}

void Gauges::write_textfile(const std::string& path, clock::Time now) {
  const std::lock_guard held(one_at_a_time_);
  telemetry::write_textfile(path, read(telemetry::Place::everywhere, now));
}

void add_metrics_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/metrics", .need = Need::open, .act = show_metrics});
}

std::vector<chores::Chore> publishing_chores(Office& office, const Serving& serving) {
  std::vector<chores::Chore> all;
  if (!serving.textfile.empty())
    all.push_back({"metrics", kTextfileEvery,
                   [&office, path = serving.textfile] { office.gauges.write_textfile(path, office.clock->now()); }});
  if (!serving.traces.empty())
    all.push_back({"traces", kTracesEvery, [&office, folder = serving.traces] {
                     files::make_folders(folder, 0755);
                     (void)trace::export_ended(journal::Journal::open(office.home), folder, std::nullopt);
                   }});
  return all;
}

}  // namespace stella::console
