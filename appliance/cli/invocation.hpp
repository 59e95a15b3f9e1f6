// SPDX-License-Identifier: Apache-2.0
// One call of the binary: its parsed arguments and the things a verb may ask for, each made at first use. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "appliance/cli/command.hpp"
#include "appliance/cli/secret_input.hpp"

namespace stella::cli {

struct Parsed {
  std::map<std::string, std::vector<std::string>> values;  // "--key", "FILE" -> what was given
  std::set<std::string> flags;
  std::string home, tenant, profile, output = "table";
  bool quiet = false, yes = false;
  std::vector<std::string> passphrase_files;
  std::optional<int> passphrase_fd;
};

class Call : public Invocation {
 public:
  Call(const Parsed& parsed, Output& output);
  [[nodiscard]] std::optional<std::string> value(const std::string& name) const override;
  [[nodiscard]] std::vector<std::string> values(const std::string& name) const override;
  [[nodiscard]] bool flag(const std::string& name) const override;
  [[nodiscard]] Output& out() override { return output_; }
  [[nodiscard]] const files::Home& home() override;
  [[nodiscard]] std::string tenant() override;
  [[nodiscard]] trust::Passphrases& passphrases() override { return passphrases_; }
  [[nodiscard]] const clock::Clock& clock() const override { return clock::system_clock(); }
  [[nodiscard]] bool yes() const override { return parsed_.yes; }
  [[nodiscard]] bool has_passphrases() const override {
    return !parsed_.passphrase_files.empty() || parsed_.passphrase_fd.has_value();
  }
  [[nodiscard]] bool is_terminal() const override;
  bool confirm(const std::string& question) override;
  [[nodiscard]] std::string read_argument(const std::string& path, std::uint64_t max_bytes) override;
  [[nodiscard]] locked::Bytes read_secret(const std::string& path) override;
  [[nodiscard]] trust::LoadedKey load_key() override;

 private:
  const Parsed& parsed_;
  Output& output_;
  StandardInput standard_input_;
  CommandPassphrases passphrases_;
  std::optional<files::Home> home_;
};

}  // namespace stella::cli
