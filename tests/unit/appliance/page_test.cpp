// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "appliance/page/ansi.hpp"
#include "appliance/page/assets.hpp"
#include "appliance/page/run.hpp"
#include "appliance/page/runs.hpp"

namespace stella::page {
namespace {

using canon::Json;

constexpr const char* kRun = "run:plant-7:20261128T154129000Z";
constexpr const char* kHostile = "<img src=x onerror=alert(1)>\"'";

clock::Time now() {
  return clock::parse_time("2026-11-28T16:00:00Z", fault::Code::internal, "test");
}
Json step(const std::string& id, const std::string& state, const std::string& parent = "",
          const std::string& kind = "run") {
  return {{"step", id}, {"parent", parent}, {"kind", kind}, {"state", state}, {"attempts", 1}};
}
RunView waiting_run() {
  RunView view{
      .summary = {{"runId", kRun},
                  {"state", "waiting"},
                  {"attempt", 1},
                  {"pack", "flash:1.0.0"},
                  {"tenant", "plant-7"},
                  {"planHash", "sha256:" + std::string(64, 'a')},
                  {"requestedBy", "Ana Ortiz"},
                  {"created", "2026-11-28T15:41:29Z"},
                  {"updated", "2026-11-28T15:42:00Z"},
                  {"stepsDone", 1},
                  {"stepsTotal", 3},
                  {"stepsFailed", 0},
                  {"steps",
                   {step("check", "succeeded"), step("ask", "pending", "", "gate.approval"), step("act", "pending")}},
                  {"gates",
                   {{{"gate", "review"},
                     {"step", "ask"},
                     {"state", "waiting"},
                     {"have", 1},
                     {"need", 2},
                     {"approvers", {"Ada Obi"}},
                     {"mayDecide", {"Ben Keller (safety)"}},
                     {"missingRoles", {"safety: 1"}},
                     {"expiresAt", "2026-11-28T17:00:00Z"}}}}},
      .plan = {{"mode", "sealed"},
               {"approvals", {{{"id", "review"}, {"threshold", 2}, {"message", "Flash the cell"}}}},
               {"steps",
                {{{"id", "check"}}, {{"id", "ask"}, {"needs", {"check"}}}, {{"id", "act"}, {"needs", {"ask"}}}}}},
      .now = now()};
  view.log.run = kRun;
  return view;
}
Frame acting() {
  return {.who = "token 0123", .form_token = "secret", .may_run = true, .may_approve = true};
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(AnsiLine, MakesColoursClasses) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"\x1b[31mred\x1b[0m end", "<span class=\"f1\">red</span> end"},
      {"\x1b[1;92;41mx", "<span class=\"f10 k1 bold\">x</span>"},
      {"\x1b[38;5;196mx\x1b[39my", "<span class=\"f9\">x</span>y"},
      {"\x1b[38;2;0;0;255mx", "<span class=\"f12\">x</span>"},
      {"\x1b[48;5;232m\x1b[3;4;7;9mx", "<span class=\"k0 slant under struck inverse\">x</span>"},
      {"\x1b[mx\x1b[Kclean\x1b]8;;http://evil.example\x1b\\link", "xcleanlink"},
      {"10%\r50%\r100%\r", "100%"},
      {"\x1b[31", "\\x1b[31"},
      {"\x1b[31m<b>", "<span class=\"f1\">&lt;b&gt;</span>"},
      {"\x1b[38;5mx", "x"},
      {"\x1b[99999999999999999999mx", "x"}};
  for (const auto& [line, html] : cases) EXPECT_EQ(ansi_line(line).bytes(), html) << line;
}

TEST(AnsiLine, CountsWhatIsTooLong) {
  const std::string html = ansi_line(std::string(kMaxShownLine + 7, 'x')).bytes();
  EXPECT_TRUE(has(html, "7 more bytes"));
}

TEST(RunPage, ShowsTheGateFirstWithWhoIsMissing) {
  const std::string html = run_page(acting(), waiting_run());
  EXPECT_LT(html.find("class=\"gate\""), html.find("id=\"steps\""));
  for (const char* part : {"Flash the cell", "1 of 2", "Ada Obi", "Ben Keller (safety)", "1 more approval; safety: 1",
                           "1 h 0 m", "Download request", "Upload response", "multipart/form-data", "value=\"secret\""})
    EXPECT_TRUE(has(html, part)) << part;
}

TEST(RunPage, ShowsNothingThatActsToWhoMayNot) {
  const std::string html = run_page({.who = "token 0123"}, waiting_run());
  EXPECT_FALSE(has(html, "<form method=\"post\""));
  EXPECT_TRUE(has(html, "stella pack approve --offline-response FILE"));
}

TEST(RunPage, StatesEachStateInWords) {
  const std::string html = run_page(acting(), waiting_run());
  EXPECT_TRUE(has(html, "<b>waiting</b>"));
  EXPECT_TRUE(has(html, "#m-diamond"));
  EXPECT_TRUE(has(html, "check: succeeded"));
  EXPECT_TRUE(has(html, "ask: waiting"));
}

TEST(RunPage, NeverMakesMarkupOfForeignText) {
  RunView view = waiting_run();
  Json& run = view.summary;
  for (const char* name : {"pack", "requestedBy", "tenant", "code", "reason", "planHash"}) run[name] = kHostile;
  run["state"] = "failed";
  run["gates"][0]["gate"] = run["gates"][0]["why"] = kHostile;
  run["gates"][0]["mayDecide"] = {kHostile};
  Json bad = step(kHostile, "failed");
  bad["message"] = bad["reason"] = kHostile;
  bad["outputs"] = {{kHostile, kHostile}};
  run["steps"].push_back(bad);
  run["outputs"] = {{kHostile, kHostile}, {"file", {{"path", kHostile}, {"sha256", kHostile}, {"bytes", 1}}}};
  run["blocked"] = {
      {{"step", kHostile}, {"program", kHostile}, {"host", kHostile}, {"line", kHostile}, {"port", 1}, {"count", 1}}};
  run["hold"] = {{"who", kHostile}, {"reason", kHostile}};
  view.plan["inputs"] = {{kHostile, {{"a", kHostile}}}};
  view.plan["approvals"][0]["message"] = kHostile;
  view.changes = {{kHostile, Json(kHostile), std::nullopt}};
  view.compared_with = kHostile;
  view.events = {
      {{"seq", 1}, {"at", kHostile}, {"type", kHostile}, {"step", kHostile}, {"data", {{kHostile, kHostile}}}}};
  view.log = {.run = kRun,
              .step = kHostile,
              .total = 1,
              .lines = {{.number = 1, .text = kHostile, .at = kHostile}},
              .hits = {.query = kHostile}};
  for (const char* state : {"failed", "waiting"}) {
    run["state"] = state;
    const std::string html = run_page(acting(), view);
    EXPECT_FALSE(has(html, "<img")) << state;
    EXPECT_FALSE(has(html, "onerror=alert(1)>\"")) << state;
    EXPECT_TRUE(has(html, "&lt;img src=x")) << state;
  }
}

TEST(RunPage, HasNoCodeOrStyleOfItsOwn) {
  const std::string html = run_page(acting(), waiting_run());
  for (const char* part : {" style=", " onclick", "<style", "javascript:", "http://", "https://"})
    EXPECT_FALSE(has(html, part)) << part;
}

TEST(RunPage, NamesTheLineThatWouldAllowABlockedAttempt) {
  RunView view = waiting_run();
  view.summary["blocked"] = {{{"step", "act"},
                              {"program", "/usr/bin/curl"},
                              {"protocol", "tcp"},
                              {"host", "a.example"},
                              {"address", ""},
                              {"port", 443},
                              {"count", 3},
                              {"first", "2026-11-28T15:41:30Z"},
                              {"line", "{host: a.example, port: 443}"}}};
  const std::string html = run_page(acting(), view);
  EXPECT_TRUE(has(html, "{host: a.example, port: 443}"));
  EXPECT_TRUE(has(html, "3 times"));
}

TEST(RunPage, DrawsTheTurnsThatAreToComeFromThePlan) {
  RunView view = waiting_run();
  view.summary["steps"].push_back(step("each", "pending", "", "map"));
  view.plan["steps"].push_back(
      {{"id", "each"},
       {"dynamic", true},
       {"maxTurns", 100},
       {"needs", {"act"}},
       {"steps", {{{"id", "one"}, {"kind", "run"}}, {{"id", "two"}, {"kind", "run"}, {"needs", {"one"}}}}}});
  const auto steps = steps_of(view.summary, view.plan);
  ASSERT_EQ(steps.size(), 6U);
  EXPECT_EQ(steps[4].id, "each[*]::one");
  EXPECT_EQ(steps[5].needs, std::vector<std::string>{"each[*]::one"});
  EXPECT_EQ(steps[3].detail, "up to 100 turns");
  EXPECT_TRUE(has(run_page(acting(), view), "each[*]::two"));
}

TEST(RunPage, IsSmallForTenThousandSteps) {
  RunView view = waiting_run();
  for (int i = 0; i < 10000; ++i) {
    view.summary["steps"].push_back(step(fmt::format("s{}", i), "pending"));
    view.plan["steps"].push_back(
        {{"id", fmt::format("s{}", i)}, {"needs", {i == 0 ? std::string("act") : fmt::format("s{}", i - 1)}}});
  }
  EXPECT_LT(run_page(acting(), view).size(), 60000U);
}

TEST(RunPage, ShowsAPageOfALargeGroupWhenAsked) {
  RunView view = waiting_run();
  for (int i = 0; i < 300; ++i) view.summary["steps"].push_back(step(fmt::format("s{}", i), "pending"));
  view.group = "";
  view.member = 200;
  const std::string html = run_page(acting(), view);
  EXPECT_TRUE(has(html, "201 to 300 of 303"));
  EXPECT_TRUE(has(html, "s250: pending"));
}

TEST(ReleasedBy, EndsAtTheNextGate) {
  const std::vector<graph::Step> steps = {
      {.id = "ask", .parent = "", .kind = "gate.approval", .state = "pending"},
      {.id = "a", .parent = "", .kind = "run", .state = "pending", .needs = {"ask"}},
      {.id = "next", .parent = "", .kind = "gate.approval", .state = "pending", .needs = {"a"}},
      {.id = "b", .parent = "", .kind = "run", .state = "pending", .needs = {"next"}},
      {.id = "other", .parent = "", .kind = "run", .state = "pending"}};
  EXPECT_EQ(released_by(steps, "ask"), (std::vector<std::string>{"a", "next"}));
}

TEST(Told, SaysEventsInWords) {
  const auto event = [](const char* type, const Json& data) { return told({{"type", type}, {"data", data}}); };
  EXPECT_EQ(event("pack.step.finished", {{"state", "failed"}, {"reason", "exit"}, {"exit", 3}}), "failed, exit 3");
  EXPECT_EQ(event("pack.gate.waiting", {{"gate", "review"}, {"threshold", 2}, {"expiresAt", "T"}}),
            "Gate review waits for 2 approvals until T");
  EXPECT_EQ(event("pack.chaos.injected", {{"hook", "pause"}, {"for", "30s"}}), "Chaos: for 30s, hook pause");
  EXPECT_EQ(event("pack.run.failed", {{"code", "ERR_X"}, {"message", "no"}}), "Failed: ERR_X no");
}

TEST(RunsPage, ListsRunsAndKeepsTheFilters) {
  RunsView view{.state = "waiting", .pack = "a\"b", .now = now()};
  view.runs.push_back({{"runId", kRun},
                       {"state", "waiting"},
                       {"pack", "flash:1.0.0"},
                       {"created", "2026-11-28T15:59:00Z"},
                       {"updated", "2026-11-28T15:59:00Z"},
                       {"stepsDone", 1},
                       {"stepsTotal", 4},
                       {"stepsFailed", 1},
                       {"requestedBy", "Ana"},
                       {"tenant", "plant-7"}});
  const std::string html = runs_page({}, view);
  for (const char* part : {"value=\"waiting\" selected", "value=\"a&quot;b\"", "1/4", "1 failed", "1 m 0 s",
                           "/console/packs/runs/run%3Aplant-7%3A"})
    EXPECT_TRUE(has(html, part)) << part;
}

TEST(Log, LinksEachLineAndCountsHits) {
  LogView view{.run = kRun,
               .step = "act",
               .number = 2,
               .tries = 3,
               .total = 1000,
               .from = 501,
               .lines = {{.number = 501, .text = "\x1b[32mok\x1b[0m", .is_error = true}},
               .hits = {.query = "ok", .lines = 7}};
  const std::string html = log_panel(view).bytes();
  for (const char* part : {"id=\"L501\"", "?step=act&amp;try=2&amp;from=481#L501", "<span class=\"f2\">ok</span>",
                           "7 lines", "try 3", "first lines", "later"})
    EXPECT_TRUE(has(html, part)) << part;
}

TEST(Assets, FitTheBudgetAndAreFoundByTheirHashedNames) {
  std::size_t total = 0;
  for (const Asset& one : assets()) {
    total += one.bytes.size();
    EXPECT_EQ(find_asset(one.path), &one);
    EXPECT_EQ(path_of(one.name), one.path);
    EXPECT_EQ(one.bytes.find("innerHTML"), std::string_view::npos) << one.name;
  }
  EXPECT_LE(total, 150000U);
  EXPECT_EQ(find_asset("/console/assets/console.css"), nullptr);
}

}  // namespace
}  // namespace stella::page
