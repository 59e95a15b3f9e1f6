// SPDX-License-Identifier: Apache-2.0
// Strict reading of one mapping of a YAML document that goes on after a problem, so that an author sees all of them at
// once. What nobody asked for is a problem with the nearest spelling. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/pack/manifest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::pack {

// The problems found so far, each where it is in the document.
class Findings {
 public:
  explicit Findings(const yaml::Document& document) : document_(document) {}
  [[nodiscard]] const yaml::Document& document() const noexcept { return document_; }
  void note(const std::string& pointer, const std::string& what, const std::string& reason = "schema");
  void note_key(const std::string& pointer, const std::string& what);
  void note_at(const Problem& problem) { problems_.push_back(problem); }
  [[nodiscard]] std::size_t count() const noexcept { return problems_.size(); }
  [[nodiscard]] std::vector<Problem> take() { return std::move(problems_); }

 private:
  const yaml::Document& document_;
  std::vector<Problem> problems_;
};

enum class Need { required, optional };

class Section {
 public:
  // Something else than a mapping is a problem, and then every question gives nothing, without another problem.
  Section(Findings& findings, const canon::Json& value, std::string pointer);

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] bool is_mapping() const noexcept { return object_ != nullptr; }
  [[nodiscard]] const std::string& pointer() const noexcept { return pointer_; }
  [[nodiscard]] std::string pointer_to(std::string_view name) const;
  void note(std::string_view name, const std::string& what);  // a problem with the value of `name`

  const canon::Json* any(std::string_view name, Need need = Need::optional);
  std::optional<std::string> text(std::string_view name, Need need = Need::optional, std::size_t max_bytes = 4096);
  // Text that `good` accepts, else a problem that says `rule`.
  std::optional<std::string> word(std::string_view name, Need need, bool (*good)(std::string_view),
                                  std::string_view rule);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max,
                                      Need need = Need::optional);
  std::optional<double> number(std::string_view name, double min, double max);
  std::optional<bool> boolean(std::string_view name);
  std::optional<clock::Duration> duration(std::string_view name);  // more than zero
  std::optional<std::string> choice(std::string_view name, const std::vector<std::string>& allowed,
                                    Need need = Need::optional);
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t max_items);
  // Calls `visit` for each item of a list, with its pointer.
  using Visit = std::function<void(const canon::Json& item, const std::string& pointer)>;
  void each(std::string_view name, Need need, std::size_t max_items, const Visit& visit);
  // Calls `visit` for each member of a mapping, with its name and pointer.
  using VisitMember =
      std::function<void(const std::string& name, const canon::Json& value, const std::string& pointer)>;
  void each_member(std::string_view name, std::size_t max_items, const VisitMember& visit);
  // A field of a later version: its presence is a problem that says so.
  void later(std::string_view name);
  void finish();

 private:
  void wrong(std::string_view name, std::string_view wanted);
  Findings& findings_;
  const canon::Json* object_ = nullptr;
  std::string pointer_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace stella::pack
