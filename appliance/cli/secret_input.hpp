// SPDX-License-Identifier: Apache-2.0
// Where passphrases and secret values come from: files, descriptors, standard input, a terminal without echo. One
// thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bundles/locked/bytes.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::cli {

// Standard input has one reader in a call; a second one is ERR_USAGE, reason `stdin`.
class StandardInput {
 public:
  void claim(const std::string& reader);

 private:
  std::string reader_;
};

// Reads a descriptor into locked memory, at most max_bytes; more is ERR_FILE_UNSUITABLE, reason `size`.
[[nodiscard]] locked::Bytes read_locked(int fd, std::size_t max_bytes, const std::string& name);
// A regular file of this user with mode 0600 or 0400; else ERR_KEY_UNUSABLE, reason `mode`.
[[nodiscard]] locked::Bytes read_private_file(const std::string& path, std::size_t max_bytes);

// One line from the terminal, without echo; ERR_KEY_UNUSABLE, reason `no-passphrase`, where there is no terminal.
[[nodiscard]] locked::Bytes ask_hidden(const std::string& prompt);

// --passphrase-file (repeatable) and --passphrase-fd answer prompts in order; a single one answers all. Without them
// the terminal is asked, without echo. Only the first line counts.
class CommandPassphrases : public trust::Passphrases {
 public:
  CommandPassphrases(std::vector<std::string> files, std::optional<int> fd, StandardInput& standard_input);
  locked::Bytes ask(const std::string& prompt) override;
  locked::Bytes ask_new(const std::string& prompt) override;

 private:
  const locked::Bytes& next_given(const std::string& prompt);
  [[nodiscard]] bool is_given() const { return !files_.empty() || fd_.has_value(); }

  std::vector<std::string> files_;
  std::optional<int> fd_;
  StandardInput& standard_input_;
  std::vector<locked::Bytes> read_;
  std::size_t asked_ = 0;
};

}  // namespace stella::cli
