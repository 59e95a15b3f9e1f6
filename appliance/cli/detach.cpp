// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/detach.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "appliance/respawn/respawn.hpp"
#include "appliance/service/order.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr char kLeft = '\0';      // no message holds it
constexpr int kPassphraseAt = 5;  // above the order of a service's process
constexpr std::size_t kMaxSaid = std::size_t{1} << 20;

struct Pipe {
  files::Fd read_end, write_end;
};
Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw fault::system_error(errno, "making a pipe", "pipe");
  return {files::Fd(ends[0]), files::Fd(ends[1])};
}

files::Fd open_nothing(int flags) {
  files::Fd fd(::open("/dev/null", flags | O_CLOEXEC));
  if (!fd) throw fault::system_error(errno, "opening", "/dev/null");
  return fd;
}

// A runner that ended without reading it all says so itself.
void hand_over(files::Fd to, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(to.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::string_view name_of(Format format) {
  return format == Format::json ? "json" : format == Format::ndjson ? "ndjson" : "table";
}

std::vector<std::string> arguments_of(Invocation& call, const Detaching& wish, bool has_passphrase) {
  std::vector<std::string> all = {"--quiet", "--output", std::string(name_of(call.out().format()))};
  if (service::order_taken() == nullptr) all.insert(all.end(), {"--home", call.home().path()});
  if (has_passphrase) all.insert(all.end(), {"--passphrase-fd", std::to_string(kPassphraseAt)});
  all.insert(all.end(), {"pack", "runs", "resume", "--run", wish.run, "--as-runner"});
  if (wish.secrets) all.insert(all.end(), {"--secrets", "-"});
  for (const char* flag : {"--wait", "--fail-fast"}) {
    if (call.flag(flag)) all.emplace_back(flag);
  }
  for (const char* option : {"--extend", "--rerun", "--fail", "--via"}) {
    for (const std::string& value : call.values(option)) all.insert(all.end(), {option, value});
  }
  return all;
}

// Asked for here, where there may be a terminal. Without one the runner goes on until the first step that wants a
// secret, and says there that the vault is sealed.
std::optional<locked::Bytes> find_passphrase(Invocation& call, const Detaching& wish) {
  if (!wish.needs_vault) return std::nullopt;
  try {
    return call.passphrases().ask("passphrase for the vault");
  } catch (const Error& error) {
    if (error.reason() == "no-passphrase") return std::nullopt;
    throw;
  }
}

// A service's process hands on for whom it acts; nothing in any other.
files::Fd order_for(const std::vector<std::string>& arguments) {
  const service::Order* mine = service::order_taken();
  if (mine == nullptr) return {};
  service::Order next = *mine;
  next.arguments = arguments;
  next.has_person = false;
  return service::write_order(next);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw fault::system_error(errno, "waiting for", "the runner");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What the runner says on its standard error until it leaves or ends. True: it left, so it runs.
bool listen(const files::Fd& from, std::string& said) {
  char block[4096];
  for (;;) {
    const ssize_t count = ::read(from.get(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading from", "the runner");
    if (count == 0) return false;
    const std::string_view got(block, static_cast<std::size_t>(count));
    const auto end = got.find(kLeft);
    if (said.size() < kMaxSaid) said.append(got.substr(0, end));
    if (end != std::string_view::npos) return true;
  }
}

}  // namespace

int start_runner(Invocation& call, const Detaching& wish) {
  const auto passphrase = find_passphrase(call, wish);
  const files::Fd nothing = open_nothing(O_RDWR);
  Pipe words = make_pipe(), secrets = make_pipe(), phrase = make_pipe();
  const files::Fd order = order_for(arguments_of(call, wish, passphrase.has_value()));
  respawn::Start start{.arguments = order ? std::vector<std::string>{service::kActFor}
                                          : arguments_of(call, wish, passphrase.has_value()),
                       .descriptors = {{wish.secrets ? secrets.read_end.get() : nothing.get(), 0},
                                       {nothing.get(), 1},
                                       {words.write_end.get(), 2}},
                       .environment = std::nullopt,
                       .folder = call.home().path(),  // keeps no medium from being unmounted
                       .own_session = true};
  if (order) start.descriptors.push_back({order.get(), service::kOrderAt});
  if (passphrase) start.descriptors.push_back({phrase.read_end.get(), kPassphraseAt});
  const pid_t child = respawn::start(start);
  words.write_end.reset();
  secrets.read_end.reset();
  phrase.read_end.reset();
  if (passphrase) hand_over(std::move(phrase.write_end), passphrase->span());
  if (wish.secrets) hand_over(std::move(secrets.write_end), wish.secrets->span());
  std::string said;
  const bool runs = listen(words.read_end, said);
  if (!said.empty()) std::cerr << said << std::flush;
  if (runs) return 0;
  const int status = wait_for(child);
  if (status >= 0) return status;
  throw Error(Code::pack_interrupted, "interrupted", "the runner was killed before its first step", wish.run,
              "stella pack runs resume --run " + wish.run);
}

void leave_starter() {
  (void)!::write(STDERR_FILENO, &kLeft, 1);
  const files::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing) (void)::dup2(nothing.get(), STDERR_FILENO);
}

}  // namespace stella::cli
