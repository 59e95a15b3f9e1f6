// SPDX-License-Identifier: Apache-2.0
// A run in a home of its own, with a plan that the test builds step by step, a clock that stands still and a sandbox
// that does what the test says: scripts_["id"] is called for step `id`, a step without a script succeeds at once.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "appliance/run/finish.hpp"
#include "appliance/run/resume.hpp"
#include "appliance/run/runner.hpp"
#include "appliance/run/stop.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/write.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::run {

class Quiet : public Listener {
 public:
  void event(const journal::Event&) override {}
  void line(const std::string& step, std::string_view text) override {
    lines.push_back(step + " | " + std::string(text));
  }
  void note(const std::string&) override {}
  std::vector<std::string> lines;
};

class StoppedClock : public clock::Clock {
 public:
  [[nodiscard]] clock::Time now() const override { return time; }
  clock::Time time{std::chrono::seconds(1795453200)};
};

class OneSecret : public lease::Source {
 public:
  explicit OneSecret(std::string text) : text_(std::move(text)) {}
  lease::Leased lease(const lease::Ticket&, const lease::Wanted& wanted) override {
    if (wanted.name != "token")
      throw fault::Error(fault::Code::pack_secret_missing, "missing", "no secret " + wanted.name);
    return {.name = wanted.name,
            .scope = wanted.scope,
            .version = 2,
            .value = locked::Bytes::copy_of(std::string_view(text_)),
            .last_four = std::nullopt};
  }
  std::optional<std::int64_t> version_of(const std::string&, const lease::Wanted&) override { return 2; }

 private:
  std::string text_;
};

using Script = std::function<sandbox::Result(const sandbox::Spec&, sandbox::Observer&)>;

class RunTest : public testing::Test {
 protected:
  RunTest() {
    forget_signals();
    home_.emplace(files::Home::open(folder_ / "home"));
    journal_.emplace(journal::Journal::open(*home_));
    plan_.pack_name = "sbom";
    plan_.pack_version = "1.0.0";
    plan_.tenant = "plant-7";
    plan_.inputs = {{"cell", "c1"}};
    plan_.document = canon::Json::object();
    plan_.bytes = "{}";
  }

  // Each step needs all before it.
  plan::Step& add(const std::string& id, plan::Kind kind = plan::Kind::run) {
    plan::Step step;
    step.id = id;
    step.kind = kind;
    if (kind != plan::Kind::item && id.find('[') == std::string::npos) {
      for (const auto& before : plan_.steps) step.needs.push_back(before.id);
    }
    step.command = {{.text = "work", .open = false}};
    step.timeout = std::chrono::seconds(5);
    step.retries.max_attempts = 1;
    step.retries.backoff_seconds = 0;
    step.digest = canon::sha256(id);
    plan_.steps.push_back(step);
    return plan_.steps.back();
  }
  plan::Step& add_gate(const std::string& id) {
    plan::Step& step = add(id, plan::Kind::gate_approval);
    step.gate = {.id = id, .threshold = 1, .roles = {}, .expires_after = std::chrono::minutes(30), .message = "ok?"};
    return step;
  }

  void submit() {
    journal::RunRow draft;
    draft.tenant = "plant-7";
    draft.state = "planned";
    draft.plan_hash = plan_.hash_text();
    draft.requested_by = "Ana Ortiz";
    run_ = journal_
               ->create_run(draft, {"pack.run.submitted", {}, {{"by", "Ana Ortiz"}, {"planHash", plan_.hash_text()}}},
                            clock_.time)
               .id;
    const std::string folder = journal_->need(run_).folder;
    for (const char* name : {"work", "artifacts", "logs", "outputs", "inputs", "approvals"})
      files::make_folders(folder + "/" + name);
    files::write_atomically(plan_of(folder), plan_.bytes, 0600);
    const std::vector<journal::NewEvent> planned = {{"pack.run.planned", {}, {{"planHash", plan_.hash_text()}}}};
    journal_->append(run_, planned, {}, clock_.time);
  }
  Record record() {
    Record record;
    record.row = journal_->need(run_);
    const auto events = journal_->events(run_);
    record.progress = progress_of(events);
    record.last_seq = events.back().seq;
    record.plan = std::make_unique<plan::Plan>(plan_);
    record.current = std::make_unique<site::Applied>();
    return record;
  }
  Tools tools() {
    return {
        .home = &*home_,
        .journal = &*journal_,
        .clock = &clock_,
        .listener = &console_,
        .sandbox =
            [this](const sandbox::Spec& spec, sandbox::Observer& observer) {
              {
                const std::lock_guard lock(mutex_);  // lanes call this
                ran_.push_back(spec.step_id);
              }
              const auto found = scripts_.find(spec.step_id);
              return found == scripts_.end() ? sandbox::Result{} : found->second(spec, observer);
            },
        .open_secrets = [this]() -> std::unique_ptr<lease::Source> { return std::make_unique<OneSecret>(secret_); }};
  }
  Outcome start() {
    if (run_.empty()) submit();
    Record fresh = record();
    Live live(tools(), fresh, {});
    return go_on(live);
  }
  Outcome resume(const ResumeWish& wish = {}) {
    Record fresh = record();
    Choices choices;
    choices.who = "Ana Ortiz";
    Live live(tools(), fresh, choices);
    prepare_to_resume(live, wish);
    return go_on(live);
  }
  static Script exits(int status) {
    return [status](const sandbox::Spec&, sandbox::Observer&) {
      return sandbox::Result{.end = sandbox::End::exited, .status = status, .blocked = {}, .relayed = {}, .limits = {}};
    };
  }
  std::vector<std::string> types() {
    std::vector<std::string> found;
    for (const auto& event : journal_->events(run_))
      found.push_back(event.step.empty() ? event.type : event.type + " " + event.step);
    return found;
  }
  canon::Json last(const std::string& type) {
    canon::Json data;
    for (const auto& event : journal_->events(run_)) {
      if (event.type == type) data = event.data;
    }
    return data;
  }

  tests::TemporaryFolder folder_;
  std::string run_, secret_ = "correct horse battery";
  std::optional<files::Home> home_;
  std::optional<journal::Journal> journal_;
  plan::Plan plan_;
  Quiet console_;
  StoppedClock clock_;
  std::map<std::string, Script> scripts_;
  std::mutex mutex_;
  std::vector<std::string> ran_;
};

}  // namespace stella::run
