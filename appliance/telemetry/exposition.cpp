// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/exposition.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bundles/canon/fields.hpp"

namespace stella::telemetry {
namespace {

constexpr std::size_t kMaxValue = 100;

double seconds(std::int64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1000;
}

std::string name_of_label(const Metric& metric, std::size_t place) {
  return place < metric.labels.size() ? std::string(metric.labels[place]) : "le";
}

std::string labels_text(const Metric& metric, const std::vector<std::string>& values) {
  if (values.empty()) return {};
  std::vector<std::string> pairs;
  for (std::size_t i = 0; i < values.size(); ++i)
    pairs.push_back(fmt::format("{}=\"{}\"", name_of_label(metric, i), escape_label(values[i])));
  return fmt::format("{{{}}}", fmt::join(pairs, ","));
}

std::string escape(std::string_view text, bool quotes) {
  std::string made;
  for (const char c : text) {
    if (c == '\\') {
      made += "\\\\";
    } else if (c == '\n') {
      made += "\\n";
    } else if (c == '"' && quotes) {
      made += "\\\"";
    } else {
      made += c;
    }
  }
  return made;
}

}  // namespace

void Family::add(std::vector<std::string> labels, double value) {
  samples_.push_back({{}, std::move(labels), value});
}

void Family::add(const std::vector<std::string>& labels, const Histogram& observed) {
  const auto bounds = observed.bounds();
  const auto bucket = [&](const std::string& le, std::int64_t count) {
    std::vector<std::string> all = labels;
    all.push_back(le);
    samples_.push_back({"_bucket", std::move(all), static_cast<double>(count)});
  };
  for (std::size_t i = 0; i < bounds.size(); ++i) bucket(fmt::format("{}", seconds(bounds[i])), observed.at_most(i));
  bucket("+Inf", observed.count());
  samples_.push_back({"_sum", labels, seconds(observed.sum_ms())});
  samples_.push_back({"_count", labels, static_cast<double>(observed.count())});
}

Family single(std::string_view name, double value) {
  Family family(name);
  family.add({}, value);
  return family;
}

std::string escape_label(std::string_view value) {
  return escape(canon::printable(value, kMaxValue), true);
}
std::string escape_help(std::string_view text) {
  return escape(text, false);
}

std::string write_text(std::span<const Family> families) {
  std::string text;
  for (const Family& family : families) {
    const Metric& about = family.about();
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", about.name, escape_help(about.help), about.name,
                        name_of(about.kind));
    for (const Sample& sample : family.samples())
      text += fmt::format("{}{}{} {}\n", about.name, sample.suffix, labels_text(about, sample.labels), sample.value);
  }
  return text;
}

canon::Json to_json(std::span<const Family> families) {
  canon::Json all = canon::Json::array();
  for (const Family& family : families) {
    canon::Json samples = canon::Json::array();
    for (const Sample& sample : family.samples()) {
      canon::Json labels = canon::Json::object();
      for (std::size_t i = 0; i < sample.labels.size(); ++i)
        labels[name_of_label(family.about(), i)] = canon::printable(sample.labels[i], kMaxValue);
      samples.push_back(
          {{"name", std::string(family.about().name) + sample.suffix}, {"labels", labels}, {"value", sample.value}});
    }
    all.push_back({{"name", family.about().name},
                   {"kind", name_of(family.about().kind)},
                   {"help", family.about().help},
                   {"samples", std::move(samples)}});
  }
  return all;
}

}  // namespace stella::telemetry
