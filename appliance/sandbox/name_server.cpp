// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/name_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostTalks = 16, kLongestMessage = 4096;
constexpr int kAtOnce = 32;

Packet sender(const char* protocol, const sockaddr_in& from) {
  Packet packet;
  packet.protocol = protocol;
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
  packet.source = text.data();
  packet.source_port = ntohs(from.sin_port);
  return packet;
}

}  // namespace

NameServer::NameServer(Watch& watch, files::Fd udp, files::Fd tcp, Decide decide)
    : watch_(watch), udp_(std::move(udp)), tcp_(std::move(tcp)), decide_(std::move(decide)) {
  watch_.add(udp_.get(), EPOLLIN, [this](std::uint32_t) { read_datagrams(); });
  if (tcp_) watch_.add(tcp_.get(), EPOLLIN, [this](std::uint32_t) { accept_talk(); });
}

NameServer::~NameServer() = default;

std::vector<std::uint8_t> NameServer::reply(std::span<const std::uint8_t> message, const Packet& from) {
  const auto question = read_question(message);
  if (!question) return {};
  return write_answer(message, *question, decide_(*question, from));
}

void NameServer::read_datagrams() {
  std::array<std::uint8_t, kLongestMessage> buffer{};
  for (int i = 0; i < kAtOnce; ++i) {
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t got =
        recvfrom(udp_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0) return;
    const auto answer = reply({buffer.data(), static_cast<std::size_t>(got)}, sender("udp", from));
    if (answer.empty()) continue;
    (void)sendto(udp_.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<sockaddr*>(&from), length);
  }
}

void NameServer::accept_talk() {
  files::Fd fd(accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) return;
  if (talks_.size() >= kMostTalks) {  // the oldest makes room: none of them is owed anything
    end_talk(*talks_.front());
  }
  auto talk = std::make_unique<Talk>();
  talk->fd = std::move(fd);
  Talk* raw = talk.get();
  talks_.push_back(std::move(talk));
  watch_.add(raw->fd.get(), EPOLLIN, [this, raw](std::uint32_t) { read_talk(*raw); });
}

void NameServer::read_talk(Talk& talk) {
  std::array<std::uint8_t, kLongestMessage> buffer{};
  const ssize_t got = recv(talk.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return end_talk(talk);
  talk.received.insert(talk.received.end(), buffer.begin(), buffer.begin() + got);
  while (talk.received.size() >= 2) {
    const std::size_t size = std::size_t{talk.received[0]} << 8 | talk.received[1];
    if (size > kLongestMessage) return end_talk(talk);
    if (talk.received.size() < 2 + size) return;
    sockaddr_in from{};
    socklen_t length = sizeof from;
    getpeername(talk.fd.get(), reinterpret_cast<sockaddr*>(&from), &length);
    auto answer = reply({talk.received.data() + 2, size}, sender("tcp", from));
    talk.received.erase(talk.received.begin(), talk.received.begin() + static_cast<std::ptrdiff_t>(2 + size));
    const std::array<std::uint8_t, 2> head = {static_cast<std::uint8_t>(answer.size() >> 8),
                                              static_cast<std::uint8_t>(answer.size())};
    answer.insert(answer.begin(), head.begin(), head.end());
    // A client that asks and does not read fills its socket and is let go.
    if (send(talk.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size()))
      return end_talk(talk);
  }
}

void NameServer::end_talk(Talk& talk) {
  watch_.remove(talk.fd.get());
  talks_.remove_if([&](const auto& one) { return one.get() == &talk; });
}

}  // namespace stella::sandbox
