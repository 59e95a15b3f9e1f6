// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/run_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "appliance/cli/state_mark.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"
#include "bundles/clock/time.hpp"

namespace stella::cli {
namespace {

constexpr std::size_t kNarrow = 40, kWideEnoughForABar = 70, kBar = 20, kMaxRows = 16, kMaxHooks = 3;
constexpr std::array kSpinner = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

// Groups and their turns show themselves by their members.
bool is_group(const journal::Event& event) {
  const std::string kind = canon::text_in(event.data, "kind");
  return kind == "parallel" || kind == "map" || kind == "loop" || kind == "conditional" || kind == "item";
}
clock::Duration between(RunView::Moment from, RunView::Moment to) {
  return std::chrono::duration_cast<clock::Duration>(to - from);
}

}  // namespace

RunView::RunView(const Output& colours, Screen::Sink sink, Moment start)
    : colours_(&colours), screen_(std::move(sink)), start_(start) {}

void RunView::begin_at(Count count) {
  count_ = count;
  done_before_ = count.done;
}

void RunView::event(const journal::Event& event, Moment now) {
  if (event.type == "pack.step.started") started(event, now);
  if (event.type == "pack.chaos.injected") injected(event, now);
  if (event.type == "pack.step.finished" || event.type == "pack.step.skipped") remove(event.step);
  if (event.type == "pack.gate.waiting") {
    remove(event.step);
    const std::string until = canon::text_in(event.data, "expiresAt");
    rows_.push_back({event.step,
                     fmt::format("waits for approvals{}", until.empty() ? "" : ", runs out " + canon::printable(until)),
                     now, true});
  }
  if (event.type == "pack.gate.approved" || event.type == "pack.gate.rejected" || event.type == "pack.gate.expired")
    remove(event.step);
}

// It ends by the clock: from when it was asked for, which the event says, to its end is what is left of it now.
void RunView::injected(const journal::Event& event, Moment now) {
  const clock::Duration lasts =
      clock::parse_time(canon::text_in(event.data, "until"), fault::Code::journal_tampered, event.run) - event.at;
  hooks_.push_back({fmt::format("chaos {}{}", canon::shown_in(event.data, "hook"),
                                event.step.empty() ? "" : " on " + canon::printable(event.step)),
                    now + lasts});
}

void RunView::started(const journal::Event& event, Moment now) {
  if (is_group(event)) return;
  remove(event.step);
  rows_.push_back({event.step, {}, now, false});
}

void RunView::remove(const std::string& step) {
  rows_.erase(std::remove_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.step == step; }),
              rows_.end());
}

void RunView::line(const std::string& step, std::string_view text) {
  for (Row& row : rows_) {
    if (row.step == step) row.last = text;
  }
  say(fmt::format("{} | {}", step, text));
}

void RunView::say(std::string text) {
  said_.push_back(std::move(text));
}

std::string RunView::head(Size size, Moment now) const {
  const std::size_t done = count_.done, total = count_.total;
  const clock::Duration elapsed = between(start_, now);
  std::string text = fmt::format("{}/{}", done, total);
  if (count_.failed > 0) text += colours_->bad(fmt::format(" ✗ {}", count_.failed));
  if (size.columns < kNarrow) return colours_->strong(fmt::format("{} {}", text, age_text(elapsed)));
  if (size.columns >= kWideEnoughForABar && total > 0) {
    const std::size_t full = done * kBar / total;
    std::string bar;
    for (std::size_t i = 0; i < kBar; ++i) bar += i < full ? "█" : "░";
    text = fmt::format("{} {}", bar, text);
  }
  text += " done";
  const std::size_t here = done - std::min(done, done_before_);
  const double seconds = static_cast<double>(elapsed.count()) / 1000;
  if (here > 0 && seconds >= 1) {
    const double rate = static_cast<double>(here) / seconds;
    text += rate >= 1 ? fmt::format("  {:.1f}/s", rate) : fmt::format("  {:.1f}/min", rate * 60);
    const auto left = clock::Duration(static_cast<std::int64_t>(static_cast<double>(total - done) / rate * 1000));
    if (done < total) text += fmt::format("  ETA {}", age_text(left));
  }
  return colours_->strong(fmt::format("{}  {}", text, age_text(elapsed)));
}

std::string RunView::row_text(const Row& row, Size size, Moment now) const {
  const clock::Duration elapsed = between(row.since, now);
  const char* shape = row.gate ? "◇" : kSpinner[static_cast<std::size_t>(elapsed.count() / 100) % kSpinner.size()];
  if (size.columns < kNarrow) return fmt::format("{} {} {}", shape, age_text(elapsed), row.step);
  return fmt::format("{} {}  {}{}{}", shape, row.step, colours_->faint(age_text(elapsed)), row.last.empty() ? "" : "  ",
                     row.last);
}

void RunView::draw(Size size, Moment now) {
  screen_.scroll(said_);
  said_.clear();
  std::vector<std::string> lines = {head(size, now)};
  std::erase_if(hooks_, [&](const Hook& hook) { return hook.until <= now; });
  for (std::size_t i = 0; i < hooks_.size() && i < kMaxHooks; ++i)
    lines.push_back(
        colours_->bad(fmt::format("! {}  {} left", hooks_[i].what, age_text(between(now, hooks_[i].until)))));
  const std::size_t room = std::min(kMaxRows, size.rows > 4 + hooks_.size() ? size.rows - 4 - hooks_.size() : 1);
  for (std::size_t i = 0; i < rows_.size() && i < room; ++i) lines.push_back(row_text(rows_[i], size, now));
  if (rows_.size() > room) lines.push_back(fmt::format("  … and {} more", rows_.size() - room));
  screen_.draw(lines, size);
}

void RunView::close() {
  screen_.clear();
  screen_.scroll(said_);
  said_.clear();
}

}  // namespace stella::cli
