// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/supervision.hpp"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "appliance/sandbox/diagnosis.hpp"
#include "appliance/sandbox/limits.hpp"
#include "appliance/sandbox/undertaker.hpp"
#include "bundles/fault/error.hpp"

namespace stella::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTurn{100};  // how often the observer is asked whether to stop
constexpr int kPatienceMs = 30000;
constexpr std::size_t kBlock = std::size_t{64} << 10;
constexpr int kBlocksAtOnce = 4, kPacketsAtOnce = 256;

fault::Error not_started(const Report& report, const Spec& spec) {
  if (report.stage != Stage::exec) return unavailable(report.stage, report.error);
  std::string what = "cannot start `" + spec.argv[0] + "`: " + std::strerror(report.error);
  std::string fix = "name a program that is in the pack (/pack/...) or in the appliance's /usr";
  if (!spec.root.empty()) fix = "name a program that is in the pack (/pack/...) or in the runtime image";
  if (!spec.root.empty() && report.error == ENOENT && spec.argv[0] == "/bin/sh")
    fix = "a `script` needs /bin/sh, and the runtime image has none: use `command`, or an image with a shell";
  if (report.error == ENOENT) what += " (it, or the interpreter its first line names, is not there)";
  if (report.error == EACCES) fix = "set its executable bit before `pack build`";
  if (report.error == ENOEXEC) fix = "give the script a first line such as #!/bin/sh";
  return {fault::Code::pack_step_failed, "exec", what, "step " + spec.step_id, fix};
}

std::uint64_t packets_lost(int witness) {
  tpacket_stats lost{};
  socklen_t size = sizeof lost;
  if (getsockopt(witness, SOL_PACKET, PACKET_STATISTICS, &lost, &size) != 0) return 0;
  return lost.tp_drops;
}

}  // namespace

Received next_report(const Child& child) {
  pollfd ready{child.socket(), POLLIN, 0};
  int result = 0;
  do {
    result = poll(&ready, 1, kPatienceMs);
  } while (result < 0 && errno == EINTR);
  if (result == 0) throw unavailable(Stage::sources, ETIMEDOUT);
  Received received;
  if (!receive_report(child.socket(), received, Wait::no)) throw unavailable(Stage::hand_over, ECONNRESET);
  if (received.report.kind == Report::Kind::failed) throw unavailable(received.report.stage, received.report.error);
  return received;
}

Supervision::Supervision(const Spec& spec, const Blueprint& blueprint, Observer& observer, Child child)
    : spec_(spec),
      blueprint_(blueprint),
      observer_(observer),
      child_(std::move(child)),
      names_(spec),
      started_(steady_clock::now()) {}

Result Supervision::watch_until_end() {
  receive_sockets();
  watch_.add(child_.pidfd(), EPOLLIN, [this](std::uint32_t) { is_gone_ = true; });
  watch_.add(child_.socket(), EPOLLIN, [this](std::uint32_t) { read_reports(); });
  watch_.add(child_.output(), EPOLLIN, [this](std::uint32_t) { read_stream(child_.output(), Stream::out); });
  watch_.add(child_.errors(), EPOLLIN, [this](std::uint32_t) { read_stream(child_.errors(), Stream::err); });
  watch_.add(witness_.get(), EPOLLIN, [this](std::uint32_t) { read_witness(); });
  while (!is_gone_) {
    watch_.turn(kTurn);
    check_clock();
    tell();
  }
  drain();
  wipe_secrets();
  Result result = conclude();
  watch_.remove(witness_.get());
  bury(std::move(child_), std::move(witness_));
  return result;
}

void Supervision::receive_sockets() {
  std::vector<files::Fd> listeners;
  for (;;) {
    Received received = next_report(child_);
    auto& fds = received.fds;
    if (received.report.kind == Report::Kind::listeners) {
      std::move(fds.begin(), fds.end(), std::back_inserter(listeners));
      continue;
    }
    if (received.report.kind != Report::Kind::ready || fds.size() < 3) throw unavailable(Stage::hand_over, EPROTO);
    const bool has_tcp = (received.report.wait_status & 1) != 0, has_secrets = (received.report.wait_status & 2) != 0;
    witness_ = std::move(fds[1]);
    programs_ = std::make_unique<Programs>(std::move(fds[2]));
    files::Fd tcp;
    if (has_tcp) tcp = std::move(fds.at(3));
    if (has_secrets) secrets_ = std::move(fds.back());
    name_server_ = std::make_unique<NameServer>(
        watch_, std::move(fds[0]), std::move(tcp),
        [this](const Question& question, const Packet& from) { return decide(question, from); });
    relay_ = std::make_unique<Relay>(watch_, blueprint_.destinations, std::move(listeners));
    if (observer_.network_is_cut()) relay_->set_line(Relay::Line::dead);
    return;
  }
}

void Supervision::read_reports() {
  Received received;
  if (!receive_report(child_.socket(), received, Wait::no)) {
    watch_.remove(child_.socket());
    return;
  }
  if (received.report.kind == Report::Kind::failed) failed_ = received.report;
  if (received.report.kind != Report::Kind::ended) return;
  wait_status_ = received.report.wait_status;
  is_gone_ = true;  // process 1 says so when it is the only one left
}

void Supervision::read_stream(int fd, Stream stream) {
  std::array<char, kBlock> block;
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    const ssize_t got = read(fd, block.data(), block.size());
    if (got < 0) return;
    if (got == 0) return watch_.remove(fd);
    observer_.output(stream, {block.data(), static_cast<std::size_t>(got)});
  }
}

void Supervision::read_witness() {
  std::array<std::uint8_t, 256> bytes{};
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const ssize_t got = recv(witness_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0) return;
    if (const auto packet = read_packet({bytes.data(), static_cast<std::size_t>(got)})) see(*packet);
  }
}

void Supervision::see(const Packet& packet) {
  // Its own loopback is the step's own affair, but for the address of a host that the policy pinned there.
  if (is_loopback_address(packet.destination) && names_.host_of(packet.destination).empty()) return;
  if (packet.protocol == "tcp" && names_.is_allowed(packet.destination, packet.port)) return;
  const std::string host = names_.host_of(packet.destination);
  const std::string address = names_.is_sink(packet.destination) ? std::string() : packet.destination;
  attempts_.connection(packet.protocol, host, address, packet.port, [&] { return programs_->sender_of(packet); });
}

Answer Supervision::decide(const Question& question, const Packet& from) {
  const auto found = names_.find(question);
  if (found.kind == Names::Kind::unlisted || found.kind == Names::Kind::exhausted) {
    attempts_.question(question.name, spec_.dns_block, steady_clock::now(), [&] { return programs_->sender_of(from); });
  }
  return found.answer;
}

void Supervision::check_clock() {
  const Instant now = steady_clock::now();
  if (!ending_ && now - started_ >= spec_.timeout) begin_end(End::timed_out);
  if (!ending_ && observer_.stop_requested()) begin_end(End::stopped);
  if (kill_at_ && now >= *kill_at_) {
    child_.kill();
    kill_at_.reset();
  }
  relay_->set_line(observer_.network_is_cut() ? Relay::Line::dead : Relay::Line::alive);
  relay_->tick(now);
}

void Supervision::tell() {
  for (const auto& blocked : attempts_.take_new(steady_clock::now())) {
    observer_.blocked(blocked);
    if (spec_.fail_fast && !ending_) {
      ending_ = End::blocked_fast;
      child_.kill();
    }
  }
}

void Supervision::begin_end(End end) {
  ending_ = end;
  kill_at_ = steady_clock::now() + spec_.grace;
  if (!send_order(child_.socket(), Order::terminate)) child_.kill();
}

// All writers are gone with the tree: what is in the pipes and sockets now is all there will be.
void Supervision::drain() {
  for (const auto& [fd, stream] : {std::pair{child_.output(), Stream::out}, std::pair{child_.errors(), Stream::err}}) {
    std::array<char, kBlock> block;
    for (ssize_t got = 0; (got = read(fd, block.data(), block.size())) > 0;) {
      observer_.output(stream, {block.data(), static_cast<std::size_t>(got)});
    }
  }
  std::array<std::uint8_t, 256> bytes{};
  for (ssize_t got = 0; (got = recv(witness_.get(), bytes.data(), bytes.size(), 0)) >= 0;) {
    if (const auto packet = read_packet({bytes.data(), static_cast<std::size_t>(got)})) see(*packet);
  }
  attempts_.unnamed(packets_lost(witness_.get()));
  while (!wait_status_ && !failed_) {
    Received received;
    if (!receive_report(child_.socket(), received, Wait::no)) break;
    if (received.report.kind == Report::Kind::failed) failed_ = received.report;
    if (received.report.kind == Report::Kind::ended) wait_status_ = received.report.wait_status;
  }
  attempts_.close();
  tell();
}

// The memory goes back to the kernel with the namespaces, which clears pages only when it hands them out again.
void Supervision::wipe_secrets() {
  for (const auto& secret : blueprint_.secret_files) {
    const files::Fd file(openat(secrets_.get(), secret.name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    const std::string zeros(secret.value->size(), '\0');
    if (file) (void)!pwrite(file.get(), zeros.data(), zeros.size(), 0);
  }
}

Result Supervision::conclude() {
  if (failed_) throw not_started(*failed_, spec_);
  Result result;
  const int status =
      wait_status_.value_or(SIGKILL);  // process 1 was killed: by us, or by the kernel for want of memory
  result.end = ending_.value_or(WIFEXITED(status) ? End::exited : End::signalled);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  result.blocked = attempts_.all();
  result.witness_lost = attempts_.unnamed();
  result.relayed = relay_->totals();
  result.elapsed = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  result.limits = kLimitsKind;
  return result;
}

}  // namespace stella::sandbox
