// SPDX-License-Identifier: Apache-2.0
// A few threads that take work from one bounded queue; only this room includes it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace stella::http {

class Pool {
 public:
  using Work = std::function<void(std::size_t worker)>;  // throws nothing; worker from 1
  Pool(std::size_t threads, std::size_t queue);
  Pool(const Pool&) = delete;
  ~Pool();                // stop()
  bool offer(Work work);  // false: the queue is full, or the pool stops
  void stop();            // what was taken is done; then the threads are gone

 private:
  void serve(std::size_t worker);
  std::size_t queue_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace stella::http
