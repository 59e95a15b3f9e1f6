// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/live.hpp"

namespace stella::run {

Live::Live(Tools tools, Record& record, Choices choices)
    : tools_(std::move(tools)), record_(&record), choices_(std::move(choices)) {}

lease::Source& Live::secrets() {
  if (!secrets_) secrets_ = tools_.open_secrets();
  return *secrets_;
}

logs::Writer& Live::logs() {
  if (!logs_) logs_ = logs::Writer::open(folder() + "/logs");
  return *logs_;
}

void Live::take(const std::vector<journal::Event>& events) {
  for (const journal::Event& event : events) {
    apply(record_->progress, event);
    record_->events.push_back(event);
    tools_.listener->event(event);
  }
  record_->row = tools_.journal->need(id());
}

void Live::say(std::vector<journal::NewEvent> events, const journal::RunChange& change) {
  if (logs_) logs_->sync();
  refresh();
  take(tools_.journal->append(id(), events, change, now()));
}

void Live::refresh() {
  const std::int64_t last = record_->events.empty() ? 0 : record_->events.back().seq;
  take(tools_.journal->events(id(), last));
}

journal::RunChange change_to(const std::string& state, const fault::Error& error) {
  return {.state = state, .code = std::string(fault::info(error.code()).name), .reason = error.reason()};
}

}  // namespace stella::run
