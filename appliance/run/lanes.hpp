// SPDX-License-Identifier: Apache-2.0
// The threads that run steps, and the queue by which they tell the run's one thread what happened. A lane outlives its
// step: the kernel ends a step's tree when the thread that started it ends.
//
// All functions are for the owning thread. A lane that prints faster than the owner listens is held back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "appliance/run/tryout.hpp"

namespace stella::run {

struct Message {
  enum class Kind { line, note, part, ended };
  Kind kind = Kind::ended;
  Index node = kNone;
  std::string text = {};  // line, note
  canon::Json data = {};  // part
};

class Lanes {
 public:
  explicit Lanes(const Tools& tools) : tools_(&tools) {}
  ~Lanes();  // what runs is told to stop and waited for
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  void start(std::unique_ptr<Tryout> tryout);  // makes a lane where none is free
  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }
  // What has come up, in order; waits until something has, or the time is there.
  [[nodiscard]] std::vector<Message> wait(std::chrono::steady_clock::time_point until);
  [[nodiscard]] std::unique_ptr<Tryout> take(Index node);  // after its `ended`
  void halt(Index node, Halt halt);
  void halt_all(Halt halt);
  void each(const std::function<void(Tryout&)>& visit);  // what runs; its atomic members may be set

 private:
  class Voice;
  void work();
  void post(Message message);

  const Tools* tools_;
  std::map<Index, std::unique_ptr<Tryout>> running_;  // the owner's
  std::vector<std::thread> threads_;                  // the owner's
  std::mutex mutex_;                                  // guards all below
  std::condition_variable has_work_, has_message_, has_room_;
  std::deque<Tryout*> work_;
  std::vector<Message> messages_;
  std::size_t idle_ = 0;
  bool closing_ = false;
};

}  // namespace stella::run
