// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/frame.hpp"

#include <array>
#include <utility>

#include "appliance/page/assets.hpp"

namespace stella::page {
namespace {

using markup::element;

Html head(const Screen& screen) {
  return element("head", {}, element("meta", {{"charset", "utf-8"}}),
                 element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}),
                 element("meta", {{"name", "color-scheme"}, {"content", "light dark"}}),
                 element("title", {}, screen.title + " · stella"),
                 element("link", {{"rel", "icon"}, {"href", path_of("icon.svg")}, {"type", "image/svg+xml"}}),
                 element("link", {{"rel", "stylesheet"}, {"href", path_of("console.css")}}),
                 // In the head and not deferred: it sets the chosen colours before anything is painted.
                 element("script", {{"src", path_of("theme.js")}}),
                 element("script", {{"src", path_of("console.js")}, markup::Attribute::flag("defer", true)}));
}

Html bar(const Frame& frame) {
  Html who;
  if (!frame.who.empty()) who += element("span", {{"class", "who"}}, frame.who);
  if (frame.with_logout)
    who += element("form", {{"method", "post"}, {"action", "/console/logout"}}, token_field(frame),
                   element("button", {{"class", "quiet"}}, "Sign out"));
  return element(
      "header", {{"class", "bar"}},
      element("a", {{"class", "name"}, {"href", runs_path()}},
              element("svg", {{"class", "star"}, {"viewBox", "0 0 16 16"}, {"aria-hidden", "true"}},
                      element("path", {{"d", "M8 .6l1.9 5.5 5.5 1.9-5.5 1.9L8 15.4 6.1 9.9.6 8l5.5-1.9z"}})),
              " stella"),
      element("nav", {{"aria-label", "Console"}}, element("a", {{"href", runs_path()}}, "Runs")),
      element("p", {{"id", "link"}, {"class", "link"}, {"role", "status"}}),
      element(
          "div", {{"class", "tools"}}, who,
          element(
              "button",
              {{"id", "theme"}, {"class", "quiet needs-script"}, {"type", "button"}, {"title", "Light or dark (t)"}},
              "Theme"),
          element("button",
                  {{"id", "keys"}, {"class", "quiet needs-script"}, {"type", "button"}, {"title", "Keys (?)"}},
                  "Keys")));
}

Html sheet() {
  static constexpr std::array<std::pair<const char*, const char*>, 13> kKeys = {
      {{"j k", "next, previous step or run"},
       {"Enter", "open it"},
       {"/", "search the log, filter the list"},
       {"n N", "next, previous hit"},
       {"f", "follow the log's end, or stop"},
       {"g", "to the gate that waits"},
       {"e", "evidence"},
       {"p", "plan"},
       {"o", "outputs"},
       {"l", "timeline"},
       {"d", "tree or graph"},
       {"t", "light or dark"},
       {"?", "this sheet"}}};
  Html rows;
  for (const auto& [keys, what] : kKeys) {
    Html caps;
    std::string_view rest = keys;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      caps += element("kbd", {}, rest.substr(0, end)) + " ";
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
    rows += element("dt", {}, caps) + element("dd", {}, what);
  }
  return element("dialog", {{"id", "sheet"}, {"aria-labelledby", "sheet-title"}},
                 element("h2", {{"id", "sheet-title"}}, "Keys"), element("dl", {{"class", "keys"}}, rows),
                 element("form", {{"method", "dialog"}}, element("button", {}, "Close")));
}

Html notice(const Frame& frame) {
  if (frame.notice.empty()) return {};
  return element("p", {{"class", frame.notice_is_bad ? "notice bad" : "notice good"}, {"role", "status"}},
                 shape(frame.notice_is_bad ? "failed" : "succeeded"), " ", frame.notice);
}

}  // namespace

std::string framed(const Frame& frame, const Screen& screen) {
  const Html body = element(
      "body", {{"data-kind", screen.kind}}, element("a", {{"class", "to-main"}, {"href", "#main"}}, "Skip to content"),
      shapes(), bar(frame), element("main", {{"id", "main"}, {"tabindex", "-1"}}, notice(frame), screen.content),
      // State changes only, said once each; log lines are not.
      element("div", {{"id", "said"}, {"class", "unseen"}, {"aria-live", "polite"}, {"role", "status"}}), sheet());
  return markup::document(element("html", {{"lang", "en"}}, head(screen), body)).bytes();
}

Html token_field(const Frame& frame) {
  if (frame.form_token.empty()) return {};
  return element("input", {{"type", "hidden"}, {"name", "form"}, {"value", frame.form_token}});
}

Html copyable(const std::string& text) {
  return element("div", {{"class", "copyable"}}, element("code", {}, text),
                 element("button", {{"class", "quiet needs-script"}, {"type", "button"}, {"data-copy", text}}, "Copy"));
}

std::string runs_path() {
  return "/console/packs/runs";
}
std::string run_path(const std::string& run) {
  return runs_path() + "/" + markup::url_part(run);
}

std::string login_page(const std::string& next, const std::string& problem) {
  Html form = element("h1", {}, "Sign in");
  form +=
      element("p", {}, "A token of this appliance is asked for once; the browser keeps a session until it is closed.");
  if (!problem.empty())
    form += element("p", {{"class", "notice bad"}, {"role", "alert"}}, shape("failed"), " ", problem);
  form += element("form", {{"method", "post"}, {"action", "/console/login"}, {"class", "stack"}},
                  element("input", {{"type", "hidden"}, {"name", "next"}, {"value", next}}),
                  element("label", {{"for", "token"}}, "Token"),
                  element("input", {{"id", "token"},
                                    {"name", "token"},
                                    {"type", "password"},
                                    {"autocomplete", "off"},
                                    markup::Attribute::flag("required", true),
                                    markup::Attribute::flag("autofocus", true)}),
                  element("button", {{"class", "main"}}, "Sign in"));
  form += element("p", {{"class", "faint"}}, "An operator of the site makes one with:");
  form += copyable("stella token new --tenant TENANT --scopes packs.read");
  return framed({}, {.title = "Sign in", .kind = "plain", .content = element("div", {{"class", "narrow"}}, form)});
}

std::string error_page(const Frame& frame, const Trouble& trouble) {
  Html text = element("h1", {}, trouble.code) + element("p", {}, trouble.message);
  if (!trouble.fix.empty()) text += element("p", {}, element("b", {}, "What to do: "), trouble.fix);
  text += trouble.run.empty() ? element("p", {}, element("a", {{"href", runs_path()}}, "All runs"))
                              : element("p", {}, element("a", {{"href", run_path(trouble.run)}}, "Back to the run"));
  return framed(frame,
                {.title = trouble.code, .kind = "plain", .content = element("div", {{"class", "narrow"}}, text)});
}

}  // namespace stella::page
