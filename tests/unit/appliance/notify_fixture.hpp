// SPDX-License-Identifier: Apache-2.0
// A home with a journal, a policy with receivers, and a courier that answers as told.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <fstream>

#include "appliance/notify/delivery.hpp"
#include "appliance/notify/gather.hpp"
#include "appliance/notify/spool.hpp"

namespace stella::notify {

using namespace std::chrono_literals;

struct FakeClock : clock::Clock {
  clock::Time time{1790000000000ms};
  [[nodiscard]] clock::Time now() const override { return time; }
};

struct FakeCourier : Courier {
  std::deque<Answer> answers;
  std::vector<std::string> carried;  // ids
  std::vector<std::vector<std::string>> recipients;
  Answer carry(const Parcel& parcel, const locked::Bytes&) override {
    carried.push_back(parcel.id);
    recipients.push_back(parcel.recipients);
    if (answers.empty()) return {Verdict::sent, {}, {}};
    const Answer answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    return answer;
  }
};

class NotifyTest : public ::testing::Test {
 protected:
  NotifyTest()
      : home_(files::Home::open(folder())), journal_(journal::Journal::open(home_)), outbox_(Outbox::open(home_)) {
    policy_.site = "plant-7";
    policy_.mode = site::Mode::constrained;
    policy_.allow.push_back(entry("hooks.example"));
    policy_.tenants.push_back({.name = "t", .packs = {}, .operators = {}, .approvers = {}});
    gather_now();
  }
  ~NotifyTest() override { std::filesystem::remove_all(home_.path()); }

  static std::string folder() {
    std::string path = std::filesystem::temp_directory_path() / "stella-notify-XXXXXX";
    return ::mkdtemp(path.data());
  }
  static site::AllowEntry entry(const std::string& host) {
    site::AllowEntry entry;
    entry.host = host;
    entry.addresses = {"10.0.0.1"};
    entry.port = 443;
    entry.for_stella = true;
    return entry;
  }
  static site::Notification rule(const std::string& topic, const std::string& to) {
    site::Notification rule;
    rule.topic = topic;
    rule.to = to;
    if (to != "spool") rule.host = "hooks.example";
    return rule;
  }
  std::string run() {
    journal::RunRow draft;
    draft.tenant = "t";
    draft.pack = "job";
    draft.version = "1.0.0";
    draft.plan_hash = "sha256:ab";
    draft.state = "running";
    return journal_.create_run(draft, {"pack.run.submitted", "", canon::Json::object()}, clock_.time).id;
  }
  void say(const std::string& run, const std::string& type, const canon::Json& data = canon::Json::object()) {
    const std::vector<journal::NewEvent> events = {{type, "", data}};
    journal_.append(run, events, {}, clock_.time);
  }
  void wait_at(const std::string& run, clock::Duration time) {
    say(run, "pack.gate.waiting",
        {{"gate", "review"},
         {"threshold", 2},
         {"roles", {{"safety", 1}}},
         {"message", "Go on?"},
         {"expiresAt", clock::format_millis(clock_.time + time)}});
  }
  std::size_t gather_now() { return gather(outbox_, {&journal_, &policy_, "apl"}, clock_.time); }
  Delivered deliver_now(Effort effort = {}) {
    return deliver(outbox_, {&home_, &policy_, "apl", &courier_, &clock_}, effort);
  }
  [[nodiscard]] std::vector<std::string> topics() const {
    std::vector<std::string> found;
    for (const Entry& entry : outbox_.list({})) found.insert(found.begin(), entry.topic);
    return found;
  }
  [[nodiscard]] Entry only() const {
    const auto all = outbox_.list({});
    EXPECT_EQ(all.size(), 1U);
    return all.at(0);
  }

  FakeClock clock_;
  FakeCourier courier_;
  files::Home home_;
  journal::Journal journal_;
  Outbox outbox_;
  site::Policy policy_;
};

}  // namespace stella::notify
