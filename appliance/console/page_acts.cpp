// SPDX-License-Identifier: Apache-2.0
// What the forms of a run's page do: the verbs of the command line, and then the page again.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "appliance/console/answer.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/page_view.hpp"
#include "appliance/console/verb.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/read.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::size_t kMaxForm = 8 << 10, kMaxResponse = 1 << 20;
constexpr std::uint64_t kMaxRequest = std::uint64_t{256} << 20, kMaxPlan = std::uint64_t{256} << 20;

// What --output json says on standard error when a verb fails.
Json error_of(const Outcome& outcome) {
  const std::string& text = outcome.err;
  const std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return {};
  const std::size_t newline = text.rfind('\n', end), begin = newline == std::string::npos ? 0 : newline + 1;
  const Json said = Json::parse(text.substr(begin, end - begin + 1), nullptr, false);
  return said.is_object() && said.contains("error") ? said.at("error") : Json();
}

http::Response refused(Desk& desk, const Visit& visit, const std::string& run, const Outcome& outcome) {
  http::Response response;
  response.status = status_of_exit(outcome.exit);
  const Json error = error_of(outcome);
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = page::error_page(frame_of(desk, visit), {.code = page::text_of(error, "code"),
                                                           .message = page::text_of(error, "message"),
                                                           .fix = page::text_of(error, "fix"),
                                                           .run = run});
  return response;
}

http::Response done(Desk& desk, const Visit& visit, const std::string& run, const Outcome& outcome, const char* what) {
  if (outcome.exit != 0) return refused(desk, visit, run, outcome);
  return see_other(fmt::format("{}?done={}", page::run_path(run), what));
}

// A name that a header can hold.
std::string plain(std::string name) {
  for (char& c : name) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = '_';
  }
  return name;
}

http::Response attachment(std::string bytes, const std::string& name) {
  http::Response response;
  response.headers = {{"Content-Type", "application/json"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)}};
  response.body = std::move(bytes);
  return response;
}

// A folder for one file that a verb writes; gone with this.
class Passing {
 public:
  Passing() {
    char pattern[] = "/tmp/stella-request-XXXXXX";
    if (::mkdtemp(pattern) == nullptr) throw fault::system_error(errno, "making", pattern);
    path_ = pattern;
  }
  Passing(const Passing&) = delete;
  ~Passing() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

http::Response request(Desk& desk, const Visit& visit) {
  const std::string run = desk.run_of(visit).id;
  const Passing folder;
  const Outcome outcome =
      run_verb(desk.home(), {.arguments = {"pack", "approve", "--run", run, "--gate", form_field(visit.request, "gate"),
                                           "--offline-request", "--out", folder.path()}});
  if (outcome.exit != 0) return refused(desk, visit, run, outcome);
  const std::string file = page::text_of(result_of(outcome), "file", 4096), name = file.substr(file.rfind('/') + 1);
  return attachment(files::read_input(folder.path() + "/" + name, {kMaxRequest}), plain(name));
}

http::Response approve(Desk& desk, const Visit& visit) {
  const std::string run = desk.run_of(visit).id, response = form_field(visit.request, "response");
  if (response.empty())
    throw Error(Code::approval_malformed, "empty", "no file was chosen", "response",
                "Choose the RES-….json file that came back.");
  return done(desk, visit, run,
              run_verb(desk.home(), {.arguments = {"pack", "approve", "--offline-response", "-"}, .input = response}),
              "approve");
}

http::Response resume(Desk& desk, const Visit& visit) {
  const std::string run = desk.run_of(visit).id;
  return done(desk, visit, run,
              run_verb(desk.home(),
                       {.arguments = {"pack", "runs", "resume", "--run", run, "--detach"}, .via = visit.who.token}),
              "resume");
}

http::Response cancel(Desk& desk, const Visit& visit) {
  const std::string run = desk.run_of(visit).id, reason = form_field(visit.request, "reason");
  std::vector<std::string> verb = {"pack", "runs", "cancel", "--run", run};
  if (!reason.empty()) verb.push_back("--reason=" + reason);
  return done(desk, visit, run, run_verb(desk.home(), {.arguments = verb, .via = visit.who.token}), "cancel");
}

http::Response plan(Desk& desk, const Visit& visit) {
  return attachment(files::read_input(desk.run_of(visit).folder + "/plan.json", {kMaxPlan}), "plan.json");
}

http::Response artifact(Desk& desk, const Visit& visit) {
  const std::string folder = desk.run_of(visit).folder + "/artifacts", path = visit.query("path").value_or("");
  const files::Fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  http::Response response;
  if (root) response.file = files::open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat found {};
  if (!response.file || ::fstat(response.file.get(), &found) != 0 || !S_ISREG(found.st_mode))
    throw Error(Code::file_not_found, "artifact", "the run has no such artifact");
  response.file_bytes = static_cast<std::uint64_t>(found.st_size);
  response.headers = {
      {"Content-Type", "application/octet-stream"},
      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", plain(path.substr(path.rfind('/') + 1)))}};
  return response;
}

}  // namespace

void add_page_act_routes(Routes& routes) {
  const auto form = [&](const char* name, Need need, Act act, std::size_t max_body) {
    routes.add({.method = "POST",
                .pattern = fmt::format("/console/packs/runs/{{id}}/{}", name),
                .need = need,
                .act = std::move(act),
                .max_body = max_body,
                .is_page = true});
  };
  form("request", Need::read, request, kMaxForm);
  form("approve", Need::approve, approve, kMaxResponse);
  form("resume", Need::run, resume, kMaxForm);
  form("cancel", Need::run, cancel, kMaxForm);
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/plan.json", .act = plan});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/artifact", .act = artifact});
}

}  // namespace stella::console
