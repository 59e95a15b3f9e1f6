// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>

#include "appliance/console/answer.hpp"
#include "appliance/console/console.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/neutral.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/files/write.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::console {
namespace {

class FixedClock : public clock::Clock {
 public:
  [[nodiscard]] clock::Time now() const override { return time; }
  clock::Time time{std::chrono::seconds(1795453200)};
};

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() : home_(files::Home::open(folder_ / "home")) { office_.emplace(home_, clock_, address_); }

  static http::Request get(const std::string& target, http::Pairs headers = {}) {
    http::Request request;
    request.method = "GET";
    request.target = http::parse_target(target);
    request.headers = std::move(headers);
    request.headers.emplace_back("host", "127.0.0.1:8080");
    return request;
  }
  static http::Request post(const std::string& target, http::Pairs headers, std::string body = {}) {
    http::Request request = get(target, std::move(headers));
    request.method = "POST";
    request.body = std::move(body);
    return request;
  }
  std::string token(const std::string& tenant, access::Scopes scopes, std::optional<clock::Duration> valid_for = {}) {
    const auto made = access::make_token({tenant, "ana", std::move(scopes), valid_for}, clock_.time);
    access::add_token(home_, made.token, clock_.time);
    id_ = made.token.id;
    return "Bearer " + made.text;
  }
  static std::string reason_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Denied& denied) {
      return denied.reason();
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return "nothing was thrown";
  }
  // As the server does it.
  http::Response ask(Console& console, const http::Request& request) const {
    auto next = console.begin(request);
    if (auto* response = std::get_if<http::Response>(&next)) return std::move(*response);
    try {
      return console.answer(request, 1);
    } catch (...) {
      return console.refuse(0, std::current_exception());
    }
  }
  static Routes routes() {
    Routes routes;
    add_health_routes(routes);
    add_login_routes(routes);
    add_run_routes(routes);
    return routes;
  }
  journal::RunRow make_run(const std::string& tenant) const {
    auto journal = journal::Journal::open(home_);
    journal::RunRow row;
    row.tenant = tenant;
    row.pack = "sbom";
    row.version = "1.0.0";
    row.state = "planned";
    return journal.create_run(row, {"pack.run.submitted", {}, {}}, clock_.time);
  }

  tests::TemporaryFolder folder_;
  files::Home home_;
  FixedClock clock_;
  http::Address address_{"127.0.0.1", 8080, ""};
  std::optional<Office> office_;
  std::string id_;
};

TEST(Renderings, ServeWhoeverAsksForTheSame) {
  Renderings all;
  int made = 0;
  const auto ask = [&](const std::string& key, const std::string& stamp, std::chrono::milliseconds longest) {
    return all.get({.key = key, .stamp = stamp, .longest = longest}, [&] { return fmt::format("{}", ++made); });
  };
  constexpr std::chrono::hours kLong{1};
  EXPECT_EQ(ask("a", "1", kLong), "1");
  EXPECT_EQ(ask("a", "1", kLong), "1");
  EXPECT_EQ(ask("b", "1", kLong), "2");
  EXPECT_EQ(ask("a", "2", kLong), "3") << "something has changed";
  EXPECT_EQ(ask("a", "1", kLong), "4") << "what was before is gone";
  EXPECT_EQ(ask("c", "1", std::chrono::milliseconds(0)), "5");
  EXPECT_EQ(ask("c", "1", kLong), "6") << "its time was over";
  EXPECT_EQ(all.made(), 6U);
  const auto fail = [&] {
    (void)all.get({.key = "d", .stamp = "1"}, []() -> std::string { throw std::runtime_error("no"); });
  };
  EXPECT_THROW(fail(), std::runtime_error);
  EXPECT_EQ(ask("d", "1", kLong), "7");
}

TEST(Renderings, HoldNoMoreThanTheirBound) {
  Renderings all;
  const std::string large(Renderings::kMaxText - 1000, 'x');
  for (int i = 0; i < 20; ++i)
    (void)all.get({.key = std::to_string(i), .stamp = "1", .longest = std::chrono::hours(1)}, [&] { return large; });
  EXPECT_LE(all.bytes(), Renderings::kMaxBytes);
  EXPECT_GT(all.bytes(), Renderings::kMaxBytes / 2);
  (void)all.get({.key = "19", .stamp = "1"}, [&] { return large; });
  EXPECT_EQ(all.made(), 20U) << "the last one is there";
  (void)all.get({.key = "0", .stamp = "1"}, [&] { return large; });
  EXPECT_EQ(all.made(), 21U) << "the first one went";
  Renderings none;
  for (int i = 0; i < 2; ++i)
    (void)none.get({.key = "a", .stamp = "1"}, [] { return std::string(Renderings::kMaxText + 1, 'x'); });
  EXPECT_EQ(none.made(), 2U);
  EXPECT_EQ(none.bytes(), 0U);
}

TEST(Neutral, GivesEachViewerTheirOwnNameAndToken) {
  const page::Frame one{.who = "token 1 · <plant>", .form_token = "aaaa", .may_run = true, .with_logout = true};
  page::Frame two = one, other = one;
  two.who = "token 2";
  two.form_token = "bbbb";
  other.may_run = false;
  EXPECT_EQ(variant_of(one), variant_of(two));
  EXPECT_NE(variant_of(one), variant_of(other));
  const auto page_of = [](const page::Frame& frame) {
    return page::error_page(frame, {.code = "ERR_USAGE", .message = "no", .fix = "ask"});
  };
  const std::string shared = page_of(neutral(one));
  EXPECT_EQ(shared, page_of(neutral(two)));
  EXPECT_EQ(personal(shared, one), page_of(one));
  EXPECT_EQ(personal(shared, two), page_of(two));
  EXPECT_EQ(shared.find("aaaa"), std::string::npos);
}

TEST_F(ConsoleTest, FindsRoutesByTheirSegments) {
  Routes routes;
  const Act nothing = [](Desk&, const Visit&) { return http::Response(); };
  routes.add({.method = "GET", .pattern = "/api/runs/{id}", .act = nothing});
  routes.add({.method = "POST", .pattern = "/api/runs/{id}", .act = nothing});
  routes.add({.method = "GET", .pattern = "/", .act = nothing});
  EXPECT_EQ(routes.find("HEAD", {"api", "runs", "x"}).params.at("id"), "x");
  EXPECT_EQ(routes.find("GET", {}).route->pattern, "/");
  EXPECT_EQ(routes.find("GET", {"api", "runs"}).route, nullptr);
  EXPECT_EQ(routes.find("PUT", {"api", "runs", "x"}).allowed.size(), 2U);
}

TEST_F(ConsoleTest, MakesWhatARunShowsOnceForAllWhoAsk) {
  const auto row = make_run("plant-7");
  auto journal = journal::Journal::open(home_);
  Desk one(*office_), two(*office_);
  int made = 0;
  const auto ask = [&](Desk& desk) {
    return desk.rendering_of(journal.need(row.id), "page", [&] { return fmt::format("{}", ++made); });
  };
  const std::vector<journal::NewEvent> event = {{"pack.step.output", "a", {{"n", 1}}}};
  (void)journal.append(row.id, event, {.state = "failed"}, clock_.time);  // it does not move: time alone changes little
  EXPECT_EQ(ask(one), "1");
  EXPECT_EQ(ask(two), "1");
  (void)journal.append(row.id, event, {}, clock_.time);  // the clock stands still
  EXPECT_EQ(ask(two), "2");
  EXPECT_EQ(ask(one), "2");
  journal.hold(row.id, "audit", "ana", clock_.time);
  EXPECT_EQ(ask(one), "3");
  files::make_folders(home_.site());
  files::write_atomically(home_.site() + "/policy.dsse.json", "{}", 0600);
  EXPECT_EQ(ask(one), "4");
  files::make_folders(row.folder + "/logs");
  files::write_atomically(row.folder + "/logs/000001.chunk", "x", 0600);
  EXPECT_EQ(ask(two), "5");
  EXPECT_EQ(ask(one), "5");
}

TEST_F(ConsoleTest, TakesOnlyItsOwnHostAndOrigin) {
  const auto with_host = [&](const std::string& host) {
    http::Request request = get("/healthz");
    request.headers = {{"host", host}};
    return reason_of([&] { check_site(request, address_); });
  };
  for (const char* good : {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"})
    EXPECT_EQ(with_host(good), "nothing was thrown") << good;
  for (const char* bad : {"", "evil.example", "evil.example:8080", "127.0.0.1", "127.0.0.1:80", "localhost:8080.evil"})
    EXPECT_EQ(with_host(bad), "host") << bad;
  const auto with_origin = [&](const std::string& origin) {
    return reason_of([&] { check_site(get("/healthz", {{"origin", origin}}), address_); });
  };
  EXPECT_EQ(with_origin("http://127.0.0.1:8080"), "nothing was thrown");
  for (const char* bad :
       {"null", "http://evil.example", "https://127.0.0.1:8080", "http://localhost:8080", "http://127.0.0.1:8081", ""})
    EXPECT_EQ(with_origin(bad), "origin") << bad;
}

TEST_F(ConsoleTest, ShowsATokenItsTenantOnly) {
  Console console(*office_, routes());
  const auto mine = make_run("plant-7"), other = make_run("plant-8");
  const std::string bearer = token("plant-7", {access::Scope::read});
  const auto list = ask(console, get("/api/runs", {{"authorization", bearer}}));
  ASSERT_EQ(list.status, 200);
  const auto runs = canon::Json::parse(list.body)["runs"];
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0]["runId"], mine.id);
  EXPECT_EQ(ask(console, get("/api/runs?tenant=plant-8", {{"authorization", bearer}})).status, 403);
  const auto hidden = ask(console, get("/api/runs/" + other.id, {{"authorization", bearer}}));
  const auto absent = ask(console, get("/api/runs/run:plant-8:x", {{"authorization", bearer}}));
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(absent.status, 404);
}

TEST_F(ConsoleTest, RefusesTokensThatAreNoGood) {
  Console console(*office_, routes());
  const auto status = [&](http::Pairs headers) { return ask(console, get("/api/runs", std::move(headers))).status; };
  EXPECT_EQ(status({}), 401);
  EXPECT_EQ(status({{"authorization", "Basic YTpi"}}), 401);
  EXPECT_EQ(status({{"authorization", "Bearer nonsense"}}), 401);
  EXPECT_EQ(status({{"authorization", token("plant-7", {access::Scope::run})}}), 403);
  const std::string good = token("plant-7", {access::Scope::read}, std::chrono::seconds(60));
  EXPECT_EQ(status({{"authorization", good}}), 200);
  access::revoke_token(home_, id_, clock_.time);
  EXPECT_EQ(status({{"authorization", good}}), 401);
  const std::string brief = token("plant-7", {access::Scope::read}, std::chrono::seconds(60));
  clock_.time += std::chrono::seconds(60);
  EXPECT_EQ(status({{"authorization", brief}}), 401);
}

TEST_F(ConsoleTest, TakesTheHomesOwnerOnAUnixSocketOnly) {
  http::Request request = get("/api/runs");
  request.peer = ::geteuid();
  EXPECT_FALSE(identify(*office_, request, clock_.time).tenant);
  request.peer = ::geteuid() + 1;
  EXPECT_EQ(reason_of([&] { (void)identify(*office_, request, clock_.time); }), "token");
}

TEST_F(ConsoleTest, LogsABrowserInAndOut) {
  Console console(*office_, routes());
  const std::string bearer = token("plant-7", {access::Scope::read});
  const http::Pairs form = {{"content-type", "application/x-www-form-urlencoded"}, {"origin", "http://127.0.0.1:8080"}};
  EXPECT_EQ(ask(console, post("/console/login", form, "token=wrong")).status, 403);
  const auto in = ask(
      console, post("/console/login", form, "token=" + bearer.substr(7) + "&next=%2Fconsole%2Fpacks%2Fruns%2Frun:x"));
  ASSERT_EQ(in.status, 303);
  EXPECT_EQ(http::find_pair(in.headers, "Location"), "/console/packs/runs/run:x");
  const std::string set = http::find_pair(in.headers, "Set-Cookie").value();
  EXPECT_NE(set.find("HttpOnly; SameSite=Strict"), std::string::npos);
  const http::Pairs cookie = {{"cookie", set.substr(0, set.find(';'))}};
  ASSERT_EQ(ask(console, get("/api/runs", cookie)).status, 200);
  const std::string proof = canon::Json::parse(ask(console, get("/api/session", cookie)).body)["form"];
  http::Pairs out = cookie;
  EXPECT_EQ(ask(console, post("/console/logout", out)).status, 403);  // no origin
  out.emplace_back("origin", "http://127.0.0.1:8080");
  EXPECT_EQ(ask(console, post("/console/logout", out)).status, 403);  // no form token
  out.emplace_back("x-stella-form", proof);
  EXPECT_EQ(ask(console, post("/console/logout", out)).status, 303);
  EXPECT_EQ(ask(console, get("/api/runs", cookie)).status, 401);
}

TEST_F(ConsoleTest, LeadsNobodyToAnotherSiteAfterTheLogin) {
  Console console(*office_, routes());
  const http::Pairs form = {{"content-type", "application/x-www-form-urlencoded"}};
  const std::string text = token("plant-7", {access::Scope::read}).substr(7);
  for (const char* bad : {"https://evil.example/", "//evil.example", "/console//evil.example", "/console/%0d%0aX: y",
                          "/console/\"><script>"}) {
    const auto in = ask(console, post("/console/login", form, "token=" + text + "&next=" + http::escape_segment(bad)));
    EXPECT_EQ(http::find_pair(in.headers, "Location"), "/console/packs/runs") << bad;
    const auto page = ask(console, get("/console/login?next=" + http::escape_segment("/console/\"><script>")));
    EXPECT_EQ(page.body.find("\"><script>"), std::string::npos);  // as it was given
  }
}

TEST_F(ConsoleTest, SaysWhichMethodsAnAddressTakes) {
  Console console(*office_, routes());
  const auto response =
      ask(console, post("/api/session", {{"authorization", token("plant-7", {access::Scope::read})}}));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(http::find_pair(response.headers, "Allow"), "GET");
  EXPECT_EQ(ask(console, get("/nothing/here")).status, 404);
}

TEST_F(ConsoleTest, PagesThroughTheRuns) {
  Console console(*office_, routes());
  for (int i = 0; i < 5; ++i) make_run("plant-7");
  const http::Pairs headers = {{"authorization", token("plant-7", {access::Scope::read})}};
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = canon::Json::parse(ask(console, get("/api/runs?limit=2&cursor=" + cursor, headers)).body);
    for (const auto& run : page["runs"]) seen.push_back(run["runId"]);
    cursor = page["next"].is_null() ? "" : http::escape_segment(page["next"].get<std::string>());
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(ask(console, get("/api/runs?cursor=x", headers)).status, 400);
  EXPECT_EQ(ask(console, get("/api/runs?limit=1001", headers)).status, 400);
  EXPECT_EQ(ask(console, get("/api/runs?state=nonsense", headers)).status, 400);
}

TEST_F(ConsoleTest, IsReadyWhenTheJournalOpens) {
  Console console(*office_, routes());
  EXPECT_EQ(ask(console, get("/healthz")).body, "ok\n");
  const auto ready = ask(console, get("/readyz"));
  const auto object = canon::Json::parse(ready.body);
  EXPECT_EQ(object["checks"]["journal"], true);
  EXPECT_EQ(ready.status, object["ready"] == true ? 200 : 503);
}

TEST(Answer, MapsExitStatusesToHttp) {
  EXPECT_EQ(status_of_exit(2), 400);
  EXPECT_EQ(status_of_exit(3), 403);
  EXPECT_EQ(status_of_exit(4), 404);
  EXPECT_EQ(status_of_exit(6), 409);
  EXPECT_EQ(status_of_exit(8), 507);
  EXPECT_EQ(status_of_exit(10), 503);
  EXPECT_EQ(status_of_exit(1), 500);
}

}  // namespace
}  // namespace stella::console
