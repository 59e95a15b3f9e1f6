// SPDX-License-Identifier: Apache-2.0
#include "appliance/http/exchange.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <charconv>
#include <stdexcept>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::http {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxHeaders = 64;

std::exception_ptr error_of(Code code, std::string_view reason, const std::string& what) {
  return std::make_exception_ptr(Error(code, reason, what));
}

std::exception_ptr stopping() {
  return error_of(Code::run_busy, "stopping", "the server stops, and did not come to this request");
}

MHD_Result take_header(void* into, MHD_ValueKind, const char* name, const char* value) {
  auto& headers = *static_cast<Pairs*>(into);
  if (headers.size() >= kMaxHeaders) return MHD_NO;
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  headers.emplace_back(std::move(lower), value == nullptr ? "" : value);
  return MHD_YES;
}

Connection* connection_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connection*>(info->socket_context);
}

std::optional<std::uint64_t> number_in(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (read.ec != std::errc() || read.ptr != text->data() + text->size()) return ~std::uint64_t{0};
  return number;
}

// Whoever stands in front of us must not see another end of the body than the library does: it takes an encoding that
// it does not know for a body without end, and of two lengths the one that it likes (0.9.75).
void require_one_length(const Request& request) {
  const auto encoding = request.header("transfer-encoding");
  if (!encoding) return;
  if (request.header("content-length")) throw Error(Code::usage, "body", "a body is chunked or has a length, not both");
  if (*encoding != "chunked") throw Error(Code::usage, "body", "the only Transfer-Encoding that is taken is `chunked`");
}

}  // namespace

void Exchange::read_headers() {
  const int count = MHD_get_connection_values(connection_, MHD_HEADER_KIND, take_header, &request_.headers);
  if (count > static_cast<int>(kMaxHeaders))
    throw Error(Code::usage, "headers", fmt::format("a request has at most {} headers", kMaxHeaders));
  for (const auto& [name, value] : request_.headers) {
    if (!canon::is_utf8(value)) throw Error(Code::usage, "headers", fmt::format("header {} is not UTF-8", name));
  }
}

void Exchange::read_peer() {
  if (!server_->address.is_unix()) return;
  const auto* info = MHD_get_connection_info(connection_, MHD_CONNECTION_INFO_CONNECTION_FD);
  ucred peer{};
  socklen_t size = sizeof peer;
  if (info != nullptr && ::getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
    request_.peer = peer.uid;
}

Response Exchange::refusal(int status, const std::exception_ptr& why) const {
  return server_->handler->refuse(status, why);
}

MHD_Result Exchange::read_head(const char* method) {
  server_->connections.enter(connection_of(connection_), Phase::body);
  request_.method = method;
  try {
    request_.target = parse_target(raw_target_);
    read_headers();
    require_one_length(request_);
    read_peer();
    const auto length = number_in(request_.header("content-length"));
    auto next = server_->handler->begin(request_);
    if (auto* response = std::get_if<Response>(&next)) return send(std::move(*response));
    plan_ = std::get<Plan>(next);
    if (length && *length > plan_.max_body)
      return send(refusal(
          413, error_of(Code::usage, "body", fmt::format("the body may have {} bytes at most", plan_.max_body))));
  } catch (const Error&) {
    return send(refusal(400, std::current_exception()));
  }
  return MHD_YES;
}

MHD_Result Exchange::take_body(const char* data, std::size_t* size) {
  const std::size_t given = *size;
  *size = 0;
  // Chunked bodies tell no length before: what is too much is dropped, the refusal follows at its end.
  if (request_.body.size() <= plan_.max_body)
    request_.body.append(data, std::min(given, plan_.max_body + 1 - request_.body.size()));
  return MHD_YES;
}

void Exchange::compute(std::size_t worker) {
  try {
    if (server_->late) std::rethrow_exception(stopping());
    ready_ = server_->handler->answer(request_, worker);
  } catch (...) {
    ready_ = refusal(0, std::current_exception());
  }
}

MHD_Result Exchange::finish() {
  if (ready_) return send(std::move(*ready_));
  if (request_.body.size() > plan_.max_body)
    return send(
        refusal(413, error_of(Code::usage, "body", fmt::format("the body may have {} bytes at most", plan_.max_body))));
  server_->connections.enter(connection_of(connection_), Phase::answer);
  if (plan_.where == Where::server_thread) {
    compute(0);
    return send(std::move(*ready_));
  }
  // Suspended first: the worker may be done before offer() returns.
  MHD_suspend_connection(connection_);
  const bool taken = server_->pool.offer([this](std::size_t worker) {
    compute(worker);
    MHD_resume_connection(connection_);
  });
  if (taken) return MHD_YES;
  ready_ = refusal(
      503, server_->late ? stopping() : error_of(Code::run_busy, "queue", "too many requests wait for an answer"));
  MHD_resume_connection(connection_);
  return MHD_YES;
}

MHD_Result Exchange::send(Response response) {
  sent_ = true;
  // A download has an end to be reached in time; what is followed live has none.
  const bool is_live = response.stream && !response.stream_bytes;
  server_->connections.enter(connection_of(connection_), is_live ? Phase::stream : Phase::answer);
  MHD_Response* made = make_response(response, connection_, *server_, request_.method == "HEAD");
  if (made == nullptr) return MHD_NO;
  const MHD_Result queued = MHD_queue_response(connection_, static_cast<unsigned>(response.status), made);
  MHD_destroy_response(made);
  return queued;
}

MHD_Result Exchange::step(MHD_Connection* connection, const char* method, const char* data, std::size_t* size) {
  connection_ = connection;
  if (sent_) {  // refused already: what still comes is dropped
    *size = 0;
    return MHD_YES;
  }
  if (!begun_) {
    begun_ = true;
    return read_head(method);
  }
  return *size > 0 ? take_body(data, size) : finish();
}

}  // namespace stella::http
