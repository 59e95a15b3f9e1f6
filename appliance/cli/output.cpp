// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/output.hpp"

#include "bundles/canon/fields.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace stella::cli {
namespace {

// A reader that went away (`stella … | head`) is no error of ours: what is left unsaid stays unsaid.
void put(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Columns of a cell; the escapes of good(), bad() and so on take none.
std::size_t width(std::string_view text) {
  std::size_t count = 0;
  bool escape = false;
  for (const char c : text) {
    if (c == '\x1b') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++count;
    if (c == 'm') escape = false;
  }
  return count;
}

}  // namespace

Output::Output(Format format, bool quiet, bool colour) : format_(format), quiet_(quiet), colour_(colour) {}

void Output::say(std::string_view line) {
  if (is_table()) put(STDOUT_FILENO, fmt::format("{}\n", line));
}

void Output::note(std::string_view line) {
  if (is_table() && !quiet_) put(STDERR_FILENO, fmt::format("{}\n", line));
}

void Output::table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  if (!is_table()) return;
  std::vector<std::size_t> widths(head.size());
  for (std::size_t i = 0; i < head.size(); ++i) widths[i] = width(head[i]);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out += cells[i];
      if (i + 1 < cells.size()) out += std::string(widths[i] - width(cells[i]) + 2, ' ');
    }
    return out;
  };
  say(strong(line(head)));
  for (const auto& row : rows) say(line(row));
}

void Output::event(const canon::Json& object) {
  if (format_ == Format::ndjson) put(STDOUT_FILENO, canon::canonical(object) + "\n");
}

void Output::result(const canon::Json& object) {
  if (!is_table()) put(STDOUT_FILENO, canon::canonical(object) + "\n");
}

void Output::raw(std::string_view bytes) {
  put(STDOUT_FILENO, bytes);
}

void Output::error(const fault::Error& error) {
  const fault::CodeInfo& row = fault::info(error.code());
  if (!is_table()) {
    const canon::Json object{{"error",
                              {{"code", row.name},
                               {"reason", error.reason()},
                               {"message", canon::printable(error.what())},
                               {"at", canon::printable(error.at())},
                               {"fix", error.fix()},
                               {"exit", row.exit_status}}}};
    put(STDERR_FILENO, canon::canonical(object) + "\n");
    return;
  }
  const bool waits = row.exit_status == 7;
  std::string block =
      fmt::format("{} {}: {}\n", waits ? "waiting" : bad("error"), row.name, canon::printable(error.what()));
  if (!error.at().empty()) block += fmt::format("  at: {}\n", canon::printable(error.at()));
  block += fmt::format("  fix: {}\n", error.fix());
  put(STDERR_FILENO, block);
}

std::string Output::strong(std::string_view text) const {
  return colour_ ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}
std::string Output::good(std::string_view text) const {
  return colour_ ? fmt::format("\x1b[32m{}\x1b[0m", text) : std::string(text);
}
std::string Output::bad(std::string_view text) const {
  return colour_ ? fmt::format("\x1b[31m{}\x1b[0m", text) : std::string(text);
}
std::string Output::faint(std::string_view text) const {
  return colour_ ? fmt::format("\x1b[2m{}\x1b[0m", text) : std::string(text);
}

}  // namespace stella::cli
