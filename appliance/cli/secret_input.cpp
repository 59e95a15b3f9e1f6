// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/secret_input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/read.hpp"
#include "bundles/site/identity.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxPassphrase = 4096;

locked::Bytes first_line(locked::Bytes text) {
  const auto* end =
      static_cast<const std::uint8_t*>(text.empty() ? nullptr : std::memchr(text.data(), '\n', text.size()));
  if (end != nullptr) text.shrink(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.data()[text.size() - 1] == '\r') text.shrink(text.size() - 1);
  if (text.empty()) throw Error(Code::key_unusable, "passphrase", "the passphrase is empty");
  return text;
}

// A service's process has no terminal of its own; the operator's is its standard input, if that is one.
files::Fd open_terminal() {
  files::Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  const bool theirs = !terminal && site::acted_for() && ::isatty(STDIN_FILENO) == 1;
  return theirs ? files::Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) : std::move(terminal);
}

class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd) {
    ::tcgetattr(fd_, &before_);
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &quiet);
  }
  ~NoEcho() { ::tcsetattr(fd_, TCSAFLUSH, &before_); }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  int fd_;
  termios before_{};
};

}  // namespace

// A line from the terminal, byte by byte so that nothing of it stays in a buffer of ours.
locked::Bytes ask_hidden(const std::string& prompt) {
  const files::Fd terminal = open_terminal();
  if (!terminal) {
    throw Error(Code::key_unusable, "no-passphrase",
                fmt::format("{} is needed and there is no terminal to ask at", prompt), {},
                "Give it with --passphrase-file FILE (mode 0600) or --passphrase-fd N.");
  }
  const NoEcho quiet(terminal.get());
  const std::string text = prompt + ": ";
  (void)!::write(terminal.get(), text.data(), text.size());
  locked::Bytes line(kMaxPassphrase);
  std::size_t size = 0;
  while (size < line.size() && ::read(terminal.get(), line.data() + size, 1) == 1 && line.data()[size] != '\n') ++size;
  (void)!::write(terminal.get(), "\n", 1);
  line.shrink(size);
  return first_line(std::move(line));
}

void StandardInput::claim(const std::string& reader) {
  if (!reader_.empty()) {
    throw Error(Code::usage, "stdin", fmt::format("{} and {} would both read standard input", reader_, reader), {},
                "Give one of them as a file.");
  }
  reader_ = reader;
}

locked::Bytes read_locked(int fd, std::size_t max_bytes, const std::string& name) {
  locked::Bytes bytes(max_bytes + 1);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading", name);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > max_bytes)
    throw Error(Code::file_unsuitable, "size", fmt::format("{} has more than {} bytes", name, max_bytes), name);
  bytes.shrink(size);
  return bytes;
}

locked::Bytes read_private_file(const std::string& path, std::size_t max_bytes) {
  const files::Fd file = files::open_input(path, {max_bytes});
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw fault::system_error(errno, "looking at", path);
  if (info.st_uid != site::acted_for().value_or(::geteuid()) || (info.st_mode & 077) != 0) {
    throw Error(
        Code::key_unusable, "mode",
        fmt::format("{} must belong to this user and have mode 0600, it has {:04o}", path, info.st_mode & 07777U), path,
        "Run `chmod 600` on it after checking who has read it.");
  }
  return read_locked(file.get(), max_bytes, path);
}

CommandPassphrases::CommandPassphrases(std::vector<std::string> files, std::optional<int> fd,
                                       StandardInput& standard_input)
    : files_(std::move(files)), fd_(fd), standard_input_(standard_input) {}

const locked::Bytes& CommandPassphrases::next_given(const std::string& prompt) {
  const std::size_t count = files_.size() + (fd_ ? 1 : 0);
  const std::size_t index = count == 1 ? 0 : asked_++;
  if (index >= count) {
    throw Error(Code::usage, "passphrase",
                fmt::format("{} is needed, but only {} passphrases were given", prompt, count));
  }
  while (read_.size() <= index) {
    const std::size_t next = read_.size();
    if (next >= files_.size()) {
      read_.push_back(first_line(read_locked(*fd_, kMaxPassphrase, "--passphrase-fd")));
    } else if (files_[next] == "-") {
      standard_input_.claim("--passphrase-file");
      read_.push_back(first_line(read_locked(STDIN_FILENO, kMaxPassphrase, "standard input")));
    } else {
      read_.push_back(first_line(read_private_file(files_[next], kMaxPassphrase)));
    }
  }
  return read_[index];
}

locked::Bytes CommandPassphrases::ask(const std::string& prompt) {
  if (is_given()) return locked::Bytes::copy_of(next_given(prompt).span());
  return ask_hidden(prompt);
}

locked::Bytes CommandPassphrases::ask_new(const std::string& prompt) {
  if (is_given()) return locked::Bytes::copy_of(next_given(prompt).span());
  locked::Bytes first = ask_hidden(prompt);
  const locked::Bytes second = ask_hidden(prompt + ", again");
  if (!locked::equal(first.span(), second.span()))
    throw Error(Code::key_unusable, "passphrase", "the two passphrases differ");
  return first;
}

}  // namespace stella::cli
