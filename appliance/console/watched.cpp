// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/watched.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>

#include "appliance/console/guard.hpp"

namespace stella::console {
namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t kSmall = 1 << 20;  // gone before anybody could look
constexpr std::chrono::milliseconds kEvery{500};

class Watched : public http::Stream {
 public:
  Watched(Office& office, std::string pass, std::unique_ptr<http::Stream> stream)
      : office_(&office), pass_(std::move(pass)), stream_(std::move(stream)) {}
  http::Portion read(std::span<char> into, http::Sleeper& sleeper) override {
    if (const auto now = steady_clock::now(); now >= next_) {
      next_ = now + kEvery;
      if (!is_good_still(*office_, pass_, office_->clock->now())) throw std::runtime_error("may no longer read");
    }
    return stream_->read(into, sleeper);
  }

 private:
  Office* office_;
  std::string pass_;
  std::unique_ptr<http::Stream> stream_;
  steady_clock::time_point next_ = steady_clock::now() + kEvery;
};

class FileStream : public http::Stream {
 public:
  explicit FileStream(files::Fd file) : file_(std::move(file)) {}
  http::Portion read(std::span<char> into, http::Sleeper&) override {
    for (;;) {
      const ssize_t got = ::read(file_.get(), into.data(), into.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw std::runtime_error("the file cannot be read");
      return {static_cast<std::size_t>(got), got == 0 ? http::Next::end : http::Next::more};
    }
  }

 private:
  files::Fd file_;
};

}  // namespace

http::Response watched(Office& office, const Principal& who, http::Response response) {
  if (response.file && response.file_bytes > kSmall) {
    response.stream_bytes = response.file_bytes;
    response.stream = std::make_unique<FileStream>(std::move(response.file));
    response.file.reset();
  }
  if (response.stream) response.stream = std::make_unique<Watched>(office, who.pass, std::move(response.stream));
  return response;
}

}  // namespace stella::console
