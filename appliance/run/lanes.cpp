// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/lanes.hpp"

#include <utility>

#include "appliance/run/stop.hpp"

namespace stella::run {
namespace {

constexpr std::size_t kMostMessages = 4096;

}  // namespace

class Lanes::Voice : public Sink {
 public:
  Voice(Lanes& lanes, const Tryout& tryout) : lanes_(&lanes), tryout_(&tryout) {}
  void line(std::string_view text) override {
    lanes_->post({.kind = Message::Kind::line, .node = tryout_->node, .text = std::string(text)});
  }
  [[nodiscard]] bool wants_lines() const override { return lanes_->tools_->listener->wants_lines(); }
  void note(std::string text) override {
    lanes_->post({.kind = Message::Kind::note, .node = tryout_->node, .text = std::move(text)});
  }
  void part(canon::Json data) override {
    lanes_->post({.kind = Message::Kind::part, .node = tryout_->node, .data = std::move(data)});
  }
  bool network_is_cut() override { return tryout_->is_cut; }
  bool stop_requested() override { return tryout_->halt != Halt::none || asked_to_stop(tryout_->folder) != Stop::none; }

 private:
  Lanes* lanes_;
  const Tryout* tryout_;
};

Lanes::~Lanes() {
  halt_all(Halt::run);
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  has_work_.notify_all();
  has_room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Lanes::start(std::unique_ptr<Tryout> tryout) {
  Tryout* job = tryout.get();
  running_.emplace(job->node, std::move(tryout));
  bool needs_thread = false;
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(job);
    needs_thread = idle_ < work_.size();
  }
  if (needs_thread) threads_.emplace_back([this] { work(); });
  has_work_.notify_one();
}

void Lanes::work() {
  for (;;) {
    Tryout* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      has_work_.wait(lock, [this] { return closing_ || !work_.empty(); });
      --idle_;
      if (work_.empty()) return;
      job = work_.front();
      work_.pop_front();
    }
    Voice voice(*this, *job);
    perform(*job, *tools_, voice);
    post({.kind = Message::Kind::ended, .node = job->node});  // the owner may drop the job from here on
  }
}

void Lanes::post(Message message) {
  {
    std::unique_lock lock(mutex_);
    const bool must_wait = message.kind == Message::Kind::line;
    if (must_wait) has_room_.wait(lock, [this] { return closing_ || messages_.size() < kMostMessages; });
    messages_.push_back(std::move(message));
  }
  has_message_.notify_one();
}

std::vector<Message> Lanes::wait(std::chrono::steady_clock::time_point until) {
  std::vector<Message> found;
  {
    std::unique_lock lock(mutex_);
    has_message_.wait_until(lock, until, [this] { return !messages_.empty(); });
    found.swap(messages_);
  }
  has_room_.notify_all();
  return found;
}

std::unique_ptr<Tryout> Lanes::take(Index node) {
  const auto found = running_.find(node);
  auto tryout = std::move(found->second);
  running_.erase(found);
  return tryout;
}

void Lanes::halt(Index node, Halt halt) {
  const auto found = running_.find(node);
  if (found != running_.end()) found->second->halt = halt;
}

void Lanes::each(const std::function<void(Tryout&)>& visit) {
  for (auto& [node, tryout] : running_) visit(*tryout);
}

void Lanes::halt_all(Halt halt) {
  for (auto& [node, tryout] : running_) tryout->halt = halt;
}

}  // namespace stella::run
