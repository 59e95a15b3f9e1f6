// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/finish.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/admission/admission.hpp"
#include "appliance/attest/seal.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/journal/via.hpp"
#include "appliance/kit/delivery.hpp"
#include "appliance/run/outputs.hpp"
#include "appliance/run/replan.hpp"
#include "appliance/run/stop.hpp"
#include "appliance/run/view.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

Outcome ended(Live& live, std::optional<Error> error) {
  files::crash_point("run.finished");
  const std::string unsealed = try_to_seal(*live.tools().home, *live.tools().journal, live.id(), live.now());
  if (!unsealed.empty())
    live.tools().listener->note(fmt::format(
        "the evidence is not sealed yet ({}); `stella pack runs resume --run {}` tries again", unsealed, live.id()));
  kit::deliver_run(*live.tools().home, *live.tools().journal, live.id());
  kit::deliver(*live.tools().home, *live.tools().journal);
  live.refresh();
  return {.row = live.record().row, .error = std::move(error)};
}

Json describe(const Error& error, const std::string& step) {
  Json data = {{"code", fault::info(error.code()).name}, {"reason", error.reason()}, {"message", error.what()}};
  if (!step.empty()) data["step"] = step;
  return data;
}

Error cancelled_error(const std::string& run, const CancelRequest& request) {
  return Error(Code::pack_step_failed, "cancelled",
               fmt::format("{} was cancelled{}{}", run, request.by.empty() ? "" : " by " + request.by,
                           request.reason.empty() ? "" : ": " + request.reason),
               run, fmt::format("`stella pack runs resume --run {}` makes a new attempt.", run));
}

}  // namespace

Outcome finish_done(Live& live) {
  Json outputs = Json::array(), values = Json::object();
  try {
    std::vector<plan::Output> kept;
    for (const plan::Output& one : live.plan().outputs) {
      if (one.path.empty())
        values[one.name] = plan::value_of(one, live.plan(), view_of(live));
      else
        kept.push_back(one);
    }
    for (const Stored& one : check_outputs(kept, live.folder() + "/artifacts"))
      outputs.push_back({{"name", one.name}, {"path", one.path}, {"sha256", one.digest}, {"bytes", one.size_bytes}});
  } catch (const Error& error) {
    if (error.code() != Code::pack_step_failed) throw;
    return finish_failed(live, error, {});
  }
  live.say({event_of("pack.run.succeeded", {{"outputs", outputs}, {"values", values}})},
           {.state = "succeeded", .code = "", .reason = ""});
  return ended(live, std::nullopt);
}

Outcome finish_failed(Live& live, const Error& error, const std::string& step) {
  live.say({event_of("pack.run.failed", describe(error, step))}, change_to("failed", error));
  return ended(live, error);
}

Outcome finish_cancelled(Live& live) {
  return finish_cancelled(live, find_cancel(live.folder()).value_or(CancelRequest{}));
}

Outcome finish_cancelled(Live& live, const CancelRequest& request) {
  const Error error = cancelled_error(live.id(), request);
  Json data = {{"by", request.by}, {"reason", request.reason}};
  journal::put_via(data, request.via);
  live.say({event_of("pack.run.cancelled", std::move(data))}, change_to("cancelled", error));
  forget_cancel(live.folder());
  return ended(live, error);
}

Outcome finish_expired(Live& live, const Error& error, const std::string& gate) {
  live.say({event_of("pack.run.expired", {{"code", fault::info(error.code()).name}, {"gate", gate}})},
           change_to("expired", error));
  return ended(live, error);
}

bool has_ending(const plan::Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [](const plan::Step& step) { return step.at_end; });
}

journal::NewEvent owed_event(const Error& error, Json owed) {
  Json data = describe(error, {});
  for (const auto& [name, value] : data.items()) owed[name] = value;
  data["owed"] = std::move(owed);
  return event_of("pack.run.paused", std::move(data));
}

void owe_cancelled(Live& live) {
  const CancelRequest request = find_cancel(live.folder()).value_or(CancelRequest{});
  const Error error = cancelled_error(live.id(), request);
  Json owed = {{"state", "cancelled"}, {"by", request.by}, {"why", request.reason}};
  journal::put_via(owed, request.via);
  live.say({owed_event(error, std::move(owed))}, change_to("paused", error));
  files::crash_point("run.owed");
  forget_cancel(live.folder());
}

Outcome pause(Live& live, const Error& error, const std::string& step) {
  live.say({event_of("pack.run.paused", describe(error, step))}, change_to("paused", error));
  return {.row = live.record().row, .error = error};
}

std::string sealed_bag(const journal::RunRow& row, std::span<const journal::Event> events) {
  std::string folder;
  for (const journal::Event& event : events) {
    if (event.attempt == row.attempt && event.type == "pack.evidence.sealed")
      folder = row.folder + "/evidence/" + event.data.value("bag", std::string());
  }
  return folder;
}

std::string seal_evidence(const files::Home& home, journal::Journal& journal, const std::string& run, clock::Time now) {
  const journal::RunRow row = journal.need(run);
  std::vector<journal::Event> events;
  journal.for_each_event(run, 0, [&](const journal::Event& event) { events.push_back(attest::kept_of(event)); });
  if (const std::string bag = sealed_bag(row, events); !bag.empty() || !journal::is_final(row.state)) return bag;
  const auto current = site::load_applied(home);
  if (!current) return {};
  const auto looked = admission::look(home, {.pack = std::nullopt, .bundle = bundle_of(row.folder)});
  const std::string bytes =
      files::read_input(plan_of(row.folder), {.max_bytes = 64 << 20, .links = files::Links::refuse});
  const plan::Plan plan = plan::parse(bytes, Code::pack_hash_mismatch, plan_of(row.folder));
  const site::Applied planned_under = policy_of_run(row, *current);
  const attest::Sealed sealed = attest::seal(
      {.home = home, .row = row, .events = events, .plan = plan, .planned_under = planned_under, .pack = looked.pack});
  files::crash_point("run.sealed");
  const std::string bag = sealed.folder.substr(sealed.folder.rfind('/') + 1);
  const std::vector<journal::NewEvent> said = {
      event_of("pack.evidence.sealed", {{"bag", bag}, {"number", sealed.number}, {"list", sealed.list}})};
  journal.append(run, said, {}, now);
  return sealed.folder;
}

std::string try_to_seal(const files::Home& home, journal::Journal& journal, const std::string& run, clock::Time now) {
  try {
    seal_evidence(home, journal, run, now);
    return {};
  } catch (const Error& error) {
    return fmt::format("{}: {}", fault::info(error.code()).name, error.what());
  }
}

}  // namespace stella::run
