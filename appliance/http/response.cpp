// SPDX-License-Identifier: Apache-2.0
// Our responses as the library's, and how a stream sleeps.
#include <algorithm>

#include "appliance/http/exchange.hpp"

namespace stella::http {
namespace {

constexpr std::size_t kStreamBlock = 16 << 10;

struct Streaming {
  std::unique_ptr<Stream> stream;
  Seat seat;
  Streaming(std::unique_ptr<Stream> stream_, MHD_Connection* connection, Sleepers& all)
      : stream(std::move(stream_)), seat(connection, all) {}
};

ssize_t read_stream(void* context, std::uint64_t, char* into, std::size_t size) {
  auto& streaming = *static_cast<Streaming*>(context);
  for (;;) {
    streaming.seat.begin_read();
    Portion portion;
    try {
      portion = streaming.stream->read({into, size}, streaming.seat);
    } catch (...) {  // nothing can be said any more: the body breaks off and the client sees that
      return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (portion.bytes > 0) return static_cast<ssize_t>(portion.bytes);
    if (portion.next == Next::end) return MHD_CONTENT_READER_END_OF_STREAM;
    // Without an end that the stream itself said, nobody may take what came for the whole.
    if (streaming.seat.is_cancelled()) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (streaming.seat.try_sleep()) return 0;
  }
}

void free_stream(void* context) {
  const std::unique_ptr<Streaming> owned(static_cast<Streaming*>(context));
  owned->stream.reset();  // first: nobody wakes it any more
}

void free_body(void* context) {
  const std::unique_ptr<std::string> owned(static_cast<std::string*>(context));
}

MHD_Response* body_response(std::string& body) {
  auto kept = std::make_unique<std::string>(std::move(body));
  MHD_Response* made =
      MHD_create_response_from_buffer_with_free_callback_cls(kept->size(), kept->data(), free_body, kept.get());
  if (made != nullptr) (void)kept.release();
  return made;
}

MHD_Response* stream_response(Response& response, MHD_Connection* connection, Sleepers& all) {
  auto streaming = std::make_unique<Streaming>(std::move(response.stream), connection, all);
  MHD_Response* made = MHD_create_response_from_callback(response.stream_bytes.value_or(MHD_SIZE_UNKNOWN), kStreamBlock,
                                                         read_stream, streaming.get(), free_stream);
  if (made != nullptr) (void)streaming.release();
  return made;
}

MHD_Response* file_response(Response& response) {
  MHD_Response* made = MHD_create_response_from_fd64(response.file_bytes, response.file.get());
  if (made != nullptr) (void)response.file.release();
  return made;
}

MHD_Response* fixed_response(std::string_view bytes) {
  // The library takes a void* and only reads it.
  return MHD_create_response_from_buffer(bytes.size(), const_cast<char*>(bytes.data()), MHD_RESPMEM_PERSISTENT);
}

bool has(const Pairs& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const auto& one) { return one.first == name; });
}

}  // namespace

Seat::Seat(MHD_Connection* connection, Sleepers& all) : connection_(connection), all_(&all) {
  all_->add(this);
}
Seat::~Seat() {
  all_->remove(this);
}

void Seat::begin_read() {
  const std::lock_guard lock(mutex_);
  state_ = State::awake;
}

bool Seat::try_sleep() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::poked) return false;
  state_ = State::asleep;
  MHD_suspend_connection(connection_);
  return true;
}

void Seat::wake() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::asleep) {
    state_ = State::awake;
    MHD_resume_connection(connection_);
  } else {
    state_ = State::poked;
  }
}

void Seat::cancel() {
  cancelled_ = true;
  wake();
}

void Sleepers::add(Seat* seat) {
  const std::lock_guard lock(mutex_);
  all_.insert(seat);
}
void Sleepers::remove(Seat* seat) {
  const std::lock_guard lock(mutex_);
  all_.erase(seat);
}
void Sleepers::cancel_all() {
  const std::lock_guard lock(mutex_);
  for (Seat* seat : all_) seat->cancel();
}

MHD_Response* make_response(Response& response, MHD_Connection* connection, Server::State& server, bool is_head) {
  if (is_head && !response.stream_bytes) response.stream.reset();  // a head has no body to wait for
  MHD_Response* made = response.stream           ? stream_response(response, connection, server.sleepers)
                       : response.file           ? file_response(response)
                       : !response.fixed.empty() ? fixed_response(response.fixed)
                                                 : body_response(response.body);
  if (made == nullptr) return nullptr;
  for (const auto& [name, value] : response.headers) (void)MHD_add_response_header(made, name.c_str(), value.c_str());
  for (const auto& [name, value] : guards()) {
    if (!has(response.headers, name)) (void)MHD_add_response_header(made, name.c_str(), value.c_str());
  }
  if (server.draining) (void)MHD_add_response_header(made, "Connection", "close");
  return made;
}

}  // namespace stella::http
