// SPDX-License-Identifier: Apache-2.0
// What a run leaves: blocked attempts, outputs, evidence.
#include <fmt/format.h>

#include "appliance/page/run.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::element;

constexpr std::size_t kRows = 200, kValue = 1000;

Html blocked_row(const RunView& view, const Json& one) {
  const std::string host = text_of(one, "host", 300), address = text_of(one, "address", 100),
                    step = text_of(one, "step", 300), line = text_of(one, "line", kValue);
  Html text = element(
      "p", {}, shape("failed"), " ",
      element("a", {{"class", "id"}, {"href", log_link(text_of(view.summary, "runId"), text_of(one, "step"), 0, 0)}},
              step),
      ": ", element("code", {}, text_of(one, "program", 300)),
      fmt::format(" was kept from {} ", text_of(one, "protocol")),
      element(
          "code", {},
          fmt::format("{}{}{}:{}", host, !host.empty() && !address.empty() ? " " : "", address, text_of(one, "port"))),
      fmt::format(", {} time{}, first ", number_of(one, "count"), number_of(one, "count") == 1 ? "" : "s"),
      moment(text_of(one, "first")));
  if (!line.empty())
    text +=
        element("p", {{"class", "faint"}}, "This line under network.allow of the site policy would let it through:") +
        copyable(line);
  return element("li", {}, text);
}

Html output_row(const std::string& run, const std::string& name, const Json& value) {
  const bool is_file = value.is_object() && value.contains("sha256") && value.contains("path");
  if (!is_file)
    return element("tr", {}, element("th", {{"scope", "row"}}, element("code", {}, name)),
                   element("td", {}, element("code", {}, text_of(Json{{"v", value}}, "v", kValue))), element("td", {}));
  const std::string path = text_of(value, "path");
  return element("tr", {}, element("th", {{"scope", "row"}}, element("code", {}, name)),
                 element("td", {},
                         element("a",
                                 {{"href", fmt::format("{}/artifact?path={}", run_path(run), markup::url_part(path))},
                                  {"download", ""}},
                                 path),
                         element("span", {{"class", "faint"}}, fmt::format(" {} bytes", number_of(value, "bytes")))),
                 element("td", {}, element("code", {{"class", "digest"}}, text_of(value, "sha256", 100))));
}

Html step_outputs(const Json& summary) {
  Html rows;
  std::size_t shown = 0;
  for (const Json& step : list_of(summary, "steps")) {
    const Json& outputs = list_of(step, "outputs");
    if (!outputs.is_object() || outputs.empty() || shown >= kRows) continue;
    for (const auto& [name, value] : outputs.items()) {
      if (++shown > kRows) break;
      rows += element("tr", {}, element("th", {{"scope", "row"}}, element("code", {}, text_of(step, "step", 200))),
                      element("td", {}, element("code", {}, name)),
                      element("td", {}, element("code", {}, text_of(Json{{"v", value}}, "v", kValue))));
    }
  }
  if (rows.empty()) return {};
  return element(
      "div", {{"class", "scroll"}},
      element("table", {},
              element("caption", {},
                      shown > kRows ? fmt::format("Outputs of steps, the first {}", kRows)
                                    : std::string("Outputs of steps")),
              element("thead", {},
                      element("tr", {}, element("th", {{"scope", "col"}}, "Step"),
                              element("th", {{"scope", "col"}}, "Name"), element("th", {{"scope", "col"}}, "Value"))),
              element("tbody", {}, rows)));
}

Html command(const char* what, const std::string& text) {
  return element("p", {}, what) + copyable(text);
}

}  // namespace

Html blocked(const RunView& view) {
  const Json& list = list_of(view.summary, "blocked");
  if (list.empty()) return {};
  Html rows;
  std::size_t shown = 0;
  for (const Json& one : list) {
    if (++shown <= 50) rows += blocked_row(view, one);
  }
  if (shown > 50) rows += element("li", {}, fmt::format("and {} more", shown - 50));
  return element("section", {{"class", "blocked"}, {"aria-labelledby", "blocked-title"}},
                 element("h2", {{"id", "blocked-title"}}, "Blocked on the network"), element("ul", {}, rows));
}

Html outputs_part(const RunView& view) {
  const std::string run = text_of(view.summary, "runId");
  const Json& outputs = list_of(view.summary, "outputs");
  Html rows;
  if (outputs.is_object()) {
    for (const auto& [name, value] : outputs.items()) rows += output_row(run, name, value);
  }
  Html text = element("h2", {{"id", "outputs-title"}}, "Outputs");
  text += rows.empty() ? element("p", {{"class", "faint"}}, "The run has given no outputs.")
                       : element("div", {{"class", "scroll"}},
                                 element("table", {}, element("caption", {{"class", "unseen"}}, "Outputs of the run"),
                                         element("thead", {},
                                                 element("tr", {}, element("th", {{"scope", "col"}}, "Name"),
                                                         element("th", {{"scope", "col"}}, "Value"),
                                                         element("th", {{"scope", "col"}}, "SHA-256"))),
                                         element("tbody", {}, rows)));
  text += step_outputs(view.summary);
  return element("section", {{"id", "outputs"}, {"class", "part"}, {"aria-labelledby", "outputs-title"}}, text);
}

Html evidence_part(const RunView& view) {
  const Json& run = view.summary;
  const std::string id = text_of(run, "runId"), bag = text_of(run, "evidence");
  Html text = element("h2", {{"id", "evidence-title"}}, "Evidence");
  if (bag.empty()) {
    text += element("p", {{"class", "faint"}}, "Nothing is sealed yet: a run's evidence is sealed when it ends.");
  } else {
    const std::string name = bag.substr(bag.rfind('/') + 1);  // all of it where there is no slash
    text += element("p", {}, badge("succeeded"), " sealed as ", element("code", {{"class", "id"}}, name),
                    text_of(run, "exported") == "true" ? ", and exported." : "; not exported yet.");
    text += element("p", {},
                    element("a",
                            {{"class", "button"},
                             {"id", "evidence-tar"},
                             {"href", fmt::format("/api/runs/{}/evidence?download=tar", markup::url_part(id))},
                             {"download", name + ".tar"}},
                            "Download as one file"));
    text += command("Take it along on a medium:", "stella pack runs export --run " + id + " --media DIR");
    text += command("Verify it on the appliance:", "stella evidence verify '" + bag + "'");
    text += command("Verify it elsewhere, from the admins' keys down:",
                    "stella evidence verify " + name + " --trust ADMIN.pub");
    text += command("Integrity without stella, in the bag:", "sha256sum -c --strict SHA256SUMS");
    text += command(
        "Origin without stella, with the auditor's own list of signers:",
        "ssh-keygen -Y verify -f allowed_signers -I APPLIANCE-ID -n stella-evidence -s SHA256SUMS.sshsig < SHA256SUMS");
  }
  return element("section", {{"id", "evidence"}, {"class", "part"}, {"aria-labelledby", "evidence-title"}}, text);
}

}  // namespace stella::page
