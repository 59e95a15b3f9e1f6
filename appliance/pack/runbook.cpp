// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/runbook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "appliance/pack/grammar.hpp"

namespace stella::pack {
namespace {

constexpr std::string_view kTemplate =
#include <runbook_template.inc>  // docs/task-packs/runbook/TEMPLATE.md, by CMake
    ;

// Each heading by the words that it must have; `or` is another spelling of the last word.
struct Wanted {
  std::string_view shown, word, other;
};
constexpr std::array kWanted = {Wanted{"Purpose and scope", "purpose", ""},
                                Wanted{"Required inputs and secrets", "inputs", "secrets"},
                                Wanted{"Approval stakeholders", "approval", "stakeholders"},
                                Wanted{"Pre-checks", "pre-check", ""},
                                Wanted{"Post-checks", "post-check", ""},
                                Wanted{"Rollback", "rollback", ""}};

struct Section {
  std::string heading;  // lower case
  std::size_t line = 0, level = 0;
  bool has_text = false;
};

std::string_view trimmed(std::string_view line) {
  const auto from = line.find_first_not_of(" \t\r");
  if (from == line.npos) return {};
  return line.substr(from, line.find_last_not_of(" \t\r") - from + 1);
}

std::size_t level_of(std::string_view line) {
  const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
  return level > 0 && level <= 6 && level < line.size() && line[level] == ' ' ? level : 0;
}

// A sub-heading is text of the section around it.
void note_text(std::vector<Section>& sections, std::size_t level) {
  for (auto section = sections.rbegin(); section != sections.rend(); ++section) {
    if (level != 0 && section->level >= level) continue;
    section->has_text = true;
    return;
  }
}

std::vector<Section> sections_of(std::string_view text) {
  std::vector<Section> sections;
  bool fenced = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end), line = trimmed(raw);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("```") || line.starts_with("~~~")) fenced = !fenced;
    const std::size_t level = fenced ? 0 : level_of(raw);
    if (!line.empty()) note_text(sections, level);
    if (level > 0) sections.push_back({lower_case(std::string(line)), number, level, false});
  }
  return sections;
}

bool is_about(const Section& section, const Wanted& wanted) {
  return section.heading.find(wanted.word) != section.heading.npos &&
         section.heading.find(wanted.other) != section.heading.npos;
}

std::string replaced(std::string_view text, std::string_view mark, const std::string& by) {
  std::string out;
  while (true) {
    const std::size_t found = text.find(mark);
    out += text.substr(0, found);
    if (found == text.npos) return out;
    out += by;
    text.remove_prefix(found + mark.size());
  }
}

}  // namespace

std::string runbook_template(const std::string& name, const std::string& version) {
  return replaced(replaced(kTemplate, "PACK_NAME:VERSION", fmt::format("{}:{}", name, version)), "PACK_NAME", name);
}

std::vector<Problem> check_runbook(const FileReader& read) {
  const std::string path(kRunbookPath);
  const auto text = read(path);
  if (!text)
    return {{path, "there is no runbook: `stella pack init` of an empty folder writes one to start from", "runbook"}};
  const std::vector<Section> sections = sections_of(*text);
  const std::size_t last = static_cast<std::size_t>(std::count(text->begin(), text->end(), '\n'));
  std::vector<Problem> problems;
  for (const Wanted& wanted : kWanted) {
    const auto found =
        std::find_if(sections.begin(), sections.end(), [&](const Section& one) { return is_about(one, wanted); });
    if (found == sections.end())
      problems.push_back({fmt::format("{}:{}", path, std::max<std::size_t>(last, 1)),
                          fmt::format("the runbook has no heading `{}`", wanted.shown), "runbook"});
    else if (!found->has_text)
      problems.push_back({fmt::format("{}:{}", path, found->line),
                          fmt::format("nothing is written under the heading `{}`", wanted.shown), "runbook"});
  }
  return problems;
}

}  // namespace stella::pack
