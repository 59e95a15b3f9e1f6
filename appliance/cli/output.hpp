// SPDX-License-Identifier: Apache-2.0
// The one way to print. Results on standard output, everything else on standard error. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"
#include "bundles/fault/error.hpp"

namespace stella::cli {

enum class Format { table, json, ndjson };

class Output {
 public:
  Output(Format format, bool quiet, bool colour);
  [[nodiscard]] Format format() const noexcept { return format_; }
  [[nodiscard]] bool is_quiet() const noexcept { return quiet_; }
  [[nodiscard]] bool is_table() const noexcept { return format_ == Format::table; }

  void say(std::string_view line);   // for people, standard output; silent in json, ndjson
  void note(std::string_view line);  // progress and hints, standard error; silent in json, ndjson and with --quiet
  void table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);
  void event(const canon::Json& object);   // one line in ndjson, nothing else
  void result(const canon::Json& object);  // the one object in json and ndjson, nothing in table
  void raw(std::string_view bytes);        // a file's bytes on standard output, whatever the format
  // `error ERR_X: ...` block, or {"error":{...}}; waiting errors (exit 7) begin with `waiting`.
  void error(const fault::Error& error);
  // Bold, dim, red, green, yellow where the terminal has colour; else the text itself.
  [[nodiscard]] std::string strong(std::string_view text) const;
  [[nodiscard]] std::string good(std::string_view text) const;
  [[nodiscard]] std::string bad(std::string_view text) const;
  [[nodiscard]] std::string faint(std::string_view text) const;

 private:
  Format format_;
  bool quiet_, colour_;
};

}  // namespace stella::cli
