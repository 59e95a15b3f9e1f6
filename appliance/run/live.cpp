// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/live.hpp"

#include <iterator>

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
    record_->last_seq = event.seq;
    tools_.listener->event(event);
  }
}

// The row's count of steps goes with the events that change it: `runs list` reads rows only.
journal::RunChange Live::counted(const std::vector<journal::NewEvent>& events, journal::RunChange change) {
  if (!record_->plan) return change;  // a run that is ended without being read: its steps stay as they were
  tally_.follow(*record_);
  const bool is_new_attempt = change.attempt && *change.attempt > record_->progress.attempt;
  for (const journal::NewEvent& event : events) {
    if (is_new_attempt && event.type == "pack.run.resumed") tally_.begin_attempt(event.data);
    tally_.take(event.type, event.step, event.data);
  }
  canon::Json detail = change.detail.value_or(record_->row.detail);
  if (!detail.is_object()) detail = canon::Json::object();
  detail["steps"] = tally_.json();
  if (change.detail || detail != record_->row.detail) change.detail = std::move(detail);
  return change;
}

// Of the events, the first `known` are in the progress already.
void Live::append(const std::vector<journal::NewEvent>& events, const journal::RunChange& change, std::size_t known) {
  const std::vector<journal::Event> made = tools_.journal->append(id(), events, counted(events, change), now());
  if (!made.empty() && made.front().seq != record_->last_seq + 1) {
    for (const journal::Event& other : tools_.journal->events(id(), record_->last_seq)) {
      if (other.seq < made.front().seq) take({other});
    }
  }
  for (const journal::Event& event : made) {
    if (known > 0) {
      --known;
      apply_place(record_->progress, event);
      record_->last_seq = event.seq;
      tools_.listener->event(event);
    } else {
      take({event});
    }
  }
  record_->row = tools_.journal->need(id());
}

void Live::say(std::vector<journal::NewEvent> events, const journal::RunChange& change) {
  if (logs_) logs_->sync();
  std::vector<journal::NewEvent> all = added_;
  all.insert(all.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  append(all, change, added_.size());
  added_.clear();
}

void Live::add(journal::NewEvent event) {
  const journal::Event draft{.seq = 0,
                             .at = now(),
                             .type = event.type,
                             .run = id(),
                             .step = event.step,
                             .attempt = record_->progress.attempt,
                             .prev = {},
                             .data = event.data,
                             .line = {}};
  apply(record_->progress, draft);
  added_.push_back(std::move(event));
}

void Live::commit() {
  if (!added_.empty()) say({});
}

void Live::refresh() {
  take(tools_.journal->events(id(), record_->last_seq));
  record_->row = tools_.journal->need(id());
}

void Live::hear_others() {
  const std::int64_t version = tools_.journal->data_version();
  if (version == heard_) return;
  refresh();
  heard_ = version;
}

journal::RunChange change_to(const std::string& state, const fault::Error& error) {
  return {.state = state, .code = std::string(fault::info(error.code()).name), .reason = error.reason()};
}

}  // namespace stella::run
