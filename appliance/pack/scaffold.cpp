// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/scaffold.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/runbook.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"

namespace stella::pack {
namespace {

struct File {
  std::string_view path;
  unsigned mode;
  std::string_view text;
};

constexpr std::string_view kManifest = R"(apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata:
  name: PACK_NAME
  version: 0.1.0
  description: Count the lines of a text and say what was found
  tags: [example]
  maintainers: [{name: Your Name, email: you@example.org}]
  license: Apache-2.0
spec:
  inputs:
    - {name: title, type: string, default: My first pack, schema: schemas/title.schema.json}
    - {name: lines, type: array, default: [one, two, three], description: what is counted}
  defaults: {timeout: PT1M, onCrash: rerun}
  steps:
    - id: count
      run: {command: [./steps/count.sh, "${{ inputs.lines }}"]}
    - id: enough
      gate.policy: {expression: "steps.count.outputs.lines != '0'", message: there is nothing to report}
    - id: report
      run:
        script: |
          printf '%s\n%s lines\n' "$TITLE" "$LINES_COUNTED" > /artifacts/report.txt
          cat /artifacts/report.txt
        env: {TITLE: "${{ inputs.title }}", LINES_COUNTED: "${{ steps.count.outputs.lines }}"}
  outputs:
    - {name: report, type: file, path: report.txt}
)";

constexpr std::string_view kCount = R"(#!/bin/sh
# Counts the items of a JSON list of strings given as the first argument: expressions yield one argument each.
set -eu
lines=$(printf '%s' "$1" | tr ',' '\n' | grep -c '"' || true)
echo "counted $lines lines"
echo "lines=$lines" >> "$STELLA_OUTPUT"
)";

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "string",
  "minLength": 1,
  "maxLength": 80
}
)";

constexpr std::string_view kUsage = R"(# PACK_NAME: usage

Counts the lines that it is given and writes `report.txt`.

| input | type | default | meaning |
|---|---|---|---|
| `title` | string, 1 to 80 characters | `My first pack` | first line of the report |
| `lines` | array | three words | what is counted |

It asks for no secret, no network and no approval.

    stella pack validate --dir .
    stella pack build --key publisher.key
    stella pack plan --bundle PACK_NAME-0.1.0.pack
    stella pack run --bundle PACK_NAME-0.1.0.pack --inputs inputs.json
)";

constexpr std::string_view kIgnore = R"(# What does not belong in the pack.
*.pack
)";

constexpr File kFiles[] = {
    {"pack.yaml", 0644, kManifest},  {"steps/count.sh", 0755, kCount}, {"schemas/title.schema.json", 0644, kSchema},
    {"docs/usage.md", 0644, kUsage}, {kRunbookPath, 0644, ""},         {".packignore", 0644, kIgnore}};

std::string pack_name_for(const std::string& folder) {
  std::string name = lower_case(std::filesystem::absolute(folder).lexically_normal().filename().string());
  if (name.empty())
    name = lower_case(std::filesystem::absolute(folder).lexically_normal().parent_path().filename().string());
  for (char& c : name)
    if (c == '_' || c == ' ' || c == '.') c = '-';
  return is_pack_name(name) ? name : "my-pack";
}

std::string filled(std::string_view text, const std::string& name) {
  constexpr std::string_view kMark = "PACK_NAME";
  std::string out;
  for (std::size_t place = 0;;) {
    const std::size_t found = text.find(kMark, place);
    out += text.substr(place, found == text.npos ? found : found - place);
    if (found == text.npos) return out;
    out += name;
    place = found + kMark.size();
  }
}

}  // namespace

std::vector<std::string> write_scaffold(const std::string& folder) {
  for (const File& file : kFiles) {
    struct stat found {};
    const std::string path = fmt::format("{}/{}", folder, file.path);
    if (::lstat(path.c_str(), &found) == 0)
      throw fault::Error(fault::Code::file_unsuitable, "exists", path + " is already there", path,
                         "Name another folder, or move what is there.");
  }
  const std::string name = pack_name_for(folder);
  std::vector<std::string> written;
  for (const char* part : {"", "/steps", "/schemas", "/docs"}) files::make_folders(folder + part, 0755);
  for (const File& file : kFiles) {
    written.push_back(fmt::format("{}/{}", folder, file.path));
    const std::string text = file.path == kRunbookPath ? runbook_template(name, "0.1.0") : filled(file.text, name);
    files::write_atomically(written.back(), text, file.mode, files::Replace::no);
  }
  return written;
}

}  // namespace stella::pack
