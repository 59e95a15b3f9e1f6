// SPDX-License-Identifier: Apache-2.0
#include "appliance/trace/tracer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "appliance/journal/event_types.hpp"
#include "appliance/journal/states.hpp"

namespace stella::trace {
namespace {

using canon::Json;

constexpr std::size_t kSpansInALine = 500;

std::string text(const Json& data, const char* name) {
  const auto found = data.find(name);
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void add(Span& span, const std::string& key, const Json& data, const char* member) {
  const auto found = data.find(member);
  if (found != data.end() && *found != "") span.attributes.push_back({key, *found});
}

void mark(Span& span, Status status, const std::string& message = {}) {
  span.status = status;
  span.message = status == Status::error ? message : std::string();
}

void leave_open(Span& span, clock::Time at) {
  span.end = at;
  span.attributes.push_back({"stella.open", true});
}

std::string message_of(const Json& data) {
  const std::string message = text(data, "message");
  return message.empty() ? text(data, "reason") : message;
}

// `all[0]::do` stands in the group `all`; nothing for a step that stands in no turn.
std::string group_of(const std::string& step) {
  const auto turn = step.rfind("::");
  if (turn == std::string::npos) return {};
  const auto bracket = step.rfind('[', turn);
  return bracket == std::string::npos ? std::string() : step.substr(0, bracket);
}

}  // namespace

Tracer::Tracer(const journal::RunRow& run, Emit emit) : run_(run.id), emit_(std::move(emit)) {
  root_ = begin("run", {}, "taskrunner.run", run.created);
  root_.attributes = {{"stella.run.id", run.id},
                      {"stella.tenant", run.tenant},
                      {"stella.pack.name", run.pack},
                      {"stella.pack.version", run.version},
                      {"stella.pack.digest", run.pack_digest},
                      {"stella.plan.hash", run.plan_hash},
                      {"stella.requested_by", run.requested_by},
                      {"stella.run.state", run.state}};
  if (!run.code.empty()) root_.attributes.push_back({"stella.run.code", run.code});
  if (!run.reason.empty()) root_.attributes.push_back({"stella.run.reason", run.reason});
}

Span Tracer::begin(const std::string& part, const std::string& parent, const std::string& name, clock::Time at) const {
  return {.id = span_id_of(run_, part), .parent = parent, .name = name, .start = at, .end = at};
}

std::string Tracer::part(const std::string& kind, const std::string& name) const {
  return fmt::format("{} {} {}", number_, kind, name);
}

std::string Tracer::parent_of(const std::string& step) const {
  for (std::string group = group_of(step); !group.empty(); group = group_of(group)) {
    if (const auto found = steps_.find(group); found != steps_.end()) return found->second.span.id;
  }
  return attempt_.id;
}

void Tracer::begin_attempt(const journal::Event& event) {
  end_attempt(last_ == clock::Time{} ? event.at : last_);
  number_ = event.attempt;
  attempt_ = begin(fmt::format("{} attempt", number_), root_.id, fmt::format("attempt {}", number_), event.at);
  attempt_.attributes = {{"stella.run.attempt", number_}};
  root_.status = Status::unset;
  root_.message.clear();
}

void Tracer::end_attempt(clock::Time at) {
  if (attempt_.id.empty()) return;
  for (auto& [gate, span] : gates_) {
    leave_open(span, at);
    emit_(std::move(span));
  }
  for (auto& [id, step] : steps_) {
    if (!step.tried.id.empty()) {
      leave_open(step.tried, at);
      emit_(std::move(step.tried));
    }
    emit_(std::move(step.span));
  }
  gates_.clear();
  steps_.clear();
  attempt_.end = std::max(attempt_.end, at);
  emit_(std::move(attempt_));
  attempt_ = {};
}

void Tracer::take(const journal::Event& event) {
  if (event.attempt > number_) begin_attempt(event);
  last_ = event.at;
  if (event.type.starts_with("pack.run.")) return take_of_run(event);
  if (event.type.starts_with("pack.gate.")) return take_of_gate(event);
  if (event.type.starts_with("pack.step.")) return take_of_step(event);
  note(event);
}

void Tracer::take_of_run(const journal::Event& event) {
  const std::string word = event.type.substr(std::string_view("pack.run.").size());
  note(event);
  if (!journal::is_final(word)) return;
  const Status status = word == "succeeded" ? Status::good : Status::error;
  const std::string why = word == "failed" ? message_of(event.data) : word;
  mark(root_, status, why);
  root_.end = event.at;
  if (attempt_.id.empty()) return;
  mark(attempt_, status, why);
  end_attempt(event.at);
}

void Tracer::start_step(const journal::Event& event) {
  const std::string kind = text(event.data, "kind").empty() ? "run" : text(event.data, "kind");
  auto found = steps_.find(event.step);
  if (found == steps_.end()) {
    Step step{.span = begin(part("step", event.step), parent_of(event.step), "step " + event.step, event.at),
              .kind = kind};
    step.span.attributes = {{"stella.step.id", event.step}, {"stella.step.kind", kind}};
    found = steps_.emplace(event.step, std::move(step)).first;
  }
  if (kind != "run") return;
  const Json number = event.data.value("try", Json(1));
  const std::string name = fmt::format("try {}", number.is_number_integer() ? number.get<std::int64_t>() : 1);
  Span& span = found->second.tried;
  span = begin(part("step", event.step) + " " + name, found->second.span.id, name, event.at);
  span.attributes = {{"stella.step.id", event.step}, {"stella.step.try", number}};
}

void Tracer::finish_try(const journal::Event& event) {
  auto found = steps_.find(event.step);
  if (found == steps_.end()) {  // a step of the runner itself, such as a policy gate
    journal::Event started = event;
    started.data = {{"kind", text(event.data, "kind")}};
    start_step(started);
    found = steps_.find(event.step);
  }
  Step& step = found->second;
  const std::string state = text(event.data, "state");
  const bool is_good = state == "succeeded" || state == "continued";
  for (Span* span : {&step.span, &step.tried}) {
    if (span->id.empty()) continue;
    span->end = event.at;
    mark(*span, is_good ? Status::good : Status::error, message_of(event.data));
  }
  if (step.tried.id.empty()) return;
  add(step.tried, "stella.step.state", event.data, "state");
  add(step.tried, "process.exit.code", event.data, "exit");
  add(step.tried, "stella.step.signal", event.data, "signal");
  add(step.tried, "stella.step.reason", event.data, "reason");
  add(step.tried, "stella.log.bytes", event.data, "logBytes");
  emit_(std::exchange(step.tried, Span{}));
}

void Tracer::take_of_step(const journal::Event& event) {
  if (event.type == "pack.step.output") return;  // a span is no log
  if (event.type == "pack.step.started") return start_step(event);
  if (event.type == "pack.step.finished") return finish_try(event);
  note(event);  // retried, skipped
}

void Tracer::take_of_gate(const journal::Event& event) {
  const std::string gate = text(event.data, "gate");
  auto found = gates_.find(gate);
  if (event.type == "pack.gate.waiting") {
    if (found != gates_.end()) return note(event);  // more time
    Span span = begin(part("gate", fmt::format("{} {}", gate, event.seq)), attempt_.id, "gate " + gate, event.at);
    span.attributes = {{"stella.gate.id", gate}, {"stella.step.id", event.step}};
    add(span, "stella.gate.threshold", event.data, "threshold");
    add(span, "stella.gate.expires_at", event.data, "expiresAt");
    gates_.emplace(gate, std::move(span));
    return;
  }
  if (found == gates_.end()) return note(event);
  const bool is_open = event.type == "pack.gate.approved";
  found->second.end = event.at;
  mark(found->second, is_open ? Status::good : Status::error, event.type);
  add(found->second, "stella.gate.approvers", event.data, "approvers");
  add(found->second, "stella.gate.rejected_by", event.data, "by");
  emit_(std::move(found->second));
  gates_.erase(found);
}

// On the span that it concerns: the gate, the step, else the attempt, else the run.
void Tracer::note(const journal::Event& event) {
  Span* span = attempt_.id.empty() ? &root_ : &attempt_;
  if (const auto step = steps_.find(event.step); step != steps_.end()) span = &step->second.span;
  if (const auto gate = gates_.find(text(event.data, "gate")); gate != gates_.end()) span = &gate->second;
  Note made{.at = event.at, .name = event.type};
  if (!event.step.empty()) made.attributes.push_back({"stella.step.id", event.step});
  for (const auto& [name, value] : event.data.items())
    if (name != journal::kSecretEnd) made.attributes.push_back({"stella." + name, value});
  span->notes.push_back(std::move(made));
}

void Tracer::finish() {
  if (!attempt_.id.empty()) {
    attempt_.attributes.push_back({"stella.open", true});
    end_attempt(last_);
    leave_open(root_, last_);
  }
  emit_(std::move(root_));
}

void write_trace(const journal::Journal& journal, const journal::RunRow& run,
                 const std::function<void(std::string_view)>& write) {
  const std::string id = trace_id_of(run.id);
  std::vector<Span> spans;
  const auto flush = [&] {
    if (!spans.empty()) write(write_line(id, spans) + "\n");
    spans.clear();
  };
  Tracer tracer(run, [&](Span&& span) {
    spans.push_back(std::move(span));
    if (spans.size() == kSpansInALine) flush();
  });
  journal.for_each_event(run.id, 0, [&](const journal::Event& event) { tracer.take(event); });
  tracer.finish();
  flush();
}

}  // namespace stella::trace
