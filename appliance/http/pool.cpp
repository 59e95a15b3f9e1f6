// SPDX-License-Identifier: Apache-2.0
#include "appliance/http/pool.hpp"

#include <utility>

namespace stella::http {

Pool::Pool(std::size_t threads, std::size_t queue) : queue_(queue) {
  for (std::size_t i = 1; i <= threads; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Pool::~Pool() {
  stop();
}

bool Pool::offer(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= queue_) return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void Pool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Pool::serve(std::size_t worker) {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work(worker);
  }
}

}  // namespace stella::http
