// SPDX-License-Identifier: Apache-2.0
// pack run, pack runs resume: what makes a run move.
#include "appliance/cli/runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <thread>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/detach.hpp"
#include "appliance/cli/no_files.hpp"
#include "appliance/cli/resume_report.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/run_place.hpp"
#include "appliance/cli/run_report.hpp"
#include "appliance/cli/secret_input.hpp"
#include "appliance/cli/sit_out.hpp"
#include "appliance/cli/via.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/replan.hpp"
#include "appliance/run/resume.hpp"
#include "appliance/run/runner.hpp"
#include "appliance/run/runtime.hpp"
#include "appliance/run/stop.hpp"
#include "appliance/run/submit.hpp"
#include "appliance/run/summary.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxInputs = 16 << 20, kMaxPlan = 16 << 20;

std::optional<locked::Bytes> secret_text_of(Invocation& call) {
  const auto path = call.value("--secrets");
  if (!path) return std::nullopt;
  const auto applied = site::load_applied(call.home());
  if (!applied || applied->policy.mode == site::Mode::sealed)
    throw Error(Code::pack_secret_source, "sealed", "--secrets is refused in sealed mode", "--secrets",
                "Put the secret into the vault: `stella vault put NAME --scope SCOPE`.");
  return call.read_secret(*path);
}

std::unique_ptr<lease::Source> secrets_of(Invocation& call) {
  const auto text = secret_text_of(call);
  return text ? lease::open_secrets_file(text->view(), *call.value("--secrets")) : nullptr;
}

run::Choices choices_of(Invocation& call, const std::string& tenant) {
  run::Choices choices;
  choices.wait = call.flag("--wait");
  choices.fail_fast = call.flag("--fail-fast");
  choices.who = operator_here(call, tenant);
  choices.via = via_here(call, tenant);
  if (const auto text = call.value("--extend")) choices.extend = clock::parse_duration(*text, Code::usage, "--extend");
  return choices;
}

int go_on_after_pause(Invocation& call, journal::Journal& journal, const std::string& id);

// `resumed`: what was said before a resume; null: it has just been submitted.
int carry_on(Invocation& call, journal::Journal& journal, run::Live& live, RunConsole& console,
             const canon::Json& resumed = {}) {
  run::catch_signals();
  run::unpack_afresh(live.record());
  run::prepare_runtime(live);
  if (call.flag("--as-runner")) leave_starter();
  console.begin(live.record());
  const run::Outcome outcome = run::go_on(live);
  console.end();
  const auto end = sit_out_pause(call, live, outcome);
  return end ? show_outcome(call, journal, *end, resumed) : go_on_after_pause(call, journal, live.id());
}

run::Submission submission_of(Invocation& call) {
  run::Submission submission;
  submission.wanted = {.pack = call.value("--pack"), .bundle = call.value("--bundle")};
  if (submission.wanted.pack.has_value() == submission.wanted.bundle.has_value())
    throw Error(Code::usage, "pack", "exactly one of --pack and --bundle names what to run", {},
                "stella pack run --pack NAME:VERSION, or --bundle FILE");
  if (const auto path = call.value("--inputs"))
    submission.inputs = pack::InputsFile{*path, call.read_argument(*path, kMaxInputs)};
  submission.asked_hash = call.value("--plan-hash").value_or("");
  submission.tenant = call.tenant();
  submission.via = via_here(call, submission.tenant);
  return submission;
}

// Nothing to run: the run has succeeded. Its evidence may still have to be sealed.
int already_done(Invocation& call, journal::Journal& journal, const std::string& id) {
  run::seal_evidence(call.home(), journal, id, call.clock().now());
  call.out().note(fmt::format("{} has succeeded already", id));
  return show_outcome(call, journal, {.row = journal.need(id), .error = std::nullopt});
}

int foresee(Invocation& call, const run::Record& record, const run::ResumeWish& wish) {
  const run::Prospect prospect = run::foresee(record, wish);
  call.out().say(prospect.new_plan
                     ? fmt::format("The site policy changed ({}): it would be planned anew.", record.drift)
                     : fmt::format("plan {}", record.row.plan_hash));
  call.out().say(prospect.new_attempt ? fmt::format("It would be attempt {}.", record.row.attempt + 1)
                                      : fmt::format("Attempt {} would go on.", record.row.attempt));
  if (call.out().is_table()) say_prospect(call.out(), record, prospect, Rows::all);
  canon::Json result = prospect_json(prospect);
  result["runId"] = record.row.id;
  call.out().result(result);
  return 0;
}

// Says what is reused, what runs again and why, then lets the run go on. Where somebody must decide first, says what
// there is to know before they do.
canon::Json prepare(Invocation& call, run::Live& live, const run::ResumeWish& wish) {
  const run::Prospect prospect = run::foresee(live.record(), wish);
  if (call.out().is_table()) say_prospect(call.out(), live.record(), prospect, Rows::told);
  canon::Json told = prospect_json(prospect);
  try {
    run::prepare_to_resume(live, wish);
  } catch (const Error& error) {
    if (error.reason() != "unknown") throw;
    canon::Json summary = summary_of(call, *live.tools().journal, live.tools().journal->need(live.id()));
    summary["resume"] = std::move(told);
    call.out().result(summary);
    throw;
  }
  return told;
}

// As `runs resume` would: everything is read and proved anew. The caller has the lock.
int go_on_after_pause(Invocation& call, journal::Journal& journal, const std::string& id) {
  auto secrets = secrets_of(call);
  run::Record record = run::load_record(call.home(), journal, id);
  RunConsole console(call);
  run::Live live(tools_for(call, journal, console, std::move(secrets)), record, choices_of(call, record.row.tenant));
  const canon::Json told = prepare(call, live, {});
  return carry_on(call, journal, live, console, told);
}

// What the person who detached it is told; the run goes on meanwhile.
int show_detached(Invocation& call, const journal::Journal& journal, const std::string& id) {
  canon::Json summary = summary_of(call, journal, journal.need(id));
  summary["detached"] = true;
  call.out().say(id);
  call.out().note(fmt::format("it goes on by itself: stella pack runs logs {} --follow", id));
  call.out().result(summary);
  return 0;
}

int detach(Invocation& call, const journal::Journal& journal, const std::string& id,
           std::optional<locked::Bytes> secrets) {
  const std::string folder = journal.need(id).folder;
  const auto plan = plan::parse(files::read_input(folder + "/plan.json", {kMaxPlan}), Code::journal_tampered, id);
  const bool wants = !plan.document.at("secrets").empty() && !secrets;
  const int status = start_runner(call, {.run = id, .needs_vault = wants, .secrets = std::move(secrets)});
  return status == 0 ? show_detached(call, journal, id) : status;
}

int detach_again(Invocation& call, const std::string& id) {
  if (call.flag("--dry-run")) throw Error(Code::usage, "detach", "--dry-run starts nothing that could be detached");
  auto secrets = secret_text_of(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  (void)choices_of(call, journal.need(id).tenant);  // what is wrong with them is said here
  return detach(call, journal, id, std::move(secrets));
}

int resume_run(Invocation& call, const std::string& id) {
  if (call.flag("--detach")) return detach_again(call, id);
  run::ResumeWish wish{.rerun = call.values("--rerun"), .fail = call.values("--fail"), .extend = std::nullopt};
  auto secrets = secrets_of(call);
  auto journal = run::open_journal(call.home(), deciding_time(call));
  const auto found = journal.need(id);
  std::optional<journal::Place> place;
  if (found.state != "succeeded" && !call.flag("--dry-run")) place = take_place(call, journal, found.tenant);
  const auto lock = journal.lock_run(found);
  const auto row = journal.need(id);  // as whoever had it left it
  if (row.state == "succeeded") return already_done(call, journal, id);
  run::Record record = run::load_record(call.home(), journal, id);
  const run::Choices choices = choices_of(call, row.tenant);
  wish.extend = choices.extend;
  if (call.flag("--dry-run")) return foresee(call, record, wish);
  // An attempt that ended when its runner was killed before the bag was sealed: its evidence comes before the next
  // attempt.
  if (journal::is_final(row.state)) run::seal_evidence(call.home(), journal, id, call.clock().now());
  RunConsole console(call);
  run::Live live(tools_for(call, journal, console, std::move(secrets)), record, choices);
  const canon::Json told = prepare(call, live, wish);
  return carry_on(call, journal, live, console, told);
}

int submit_detached(Invocation& call, const run::Submission& submission) {
  (void)choices_of(call, submission.tenant);  // what is wrong with them is said before anything is submitted
  auto secrets = secret_text_of(call);
  if (secrets) (void)lease::open_secrets_file(secrets->view(), *call.value("--secrets"));
  auto journal = run::open_journal(call.home(), deciding_time(call));
  (void)take_place(call, journal, submission.tenant);  // given back at once: the runner takes its own
  const auto row = run::submit(call.home(), journal, submission, call.clock().now());
  return detach(call, journal, row.id, std::move(secrets));
}

int run_pack(Invocation& call) {
  if (call.flag("--no-files")) refuse_named_files();
  if (const auto id = call.value("--resume")) {
    for (const char* name : {"--pack", "--bundle", "--inputs", "--plan-hash"}) {
      if (call.value(name))
        throw Error(Code::usage, "resume", fmt::format("{} cannot go with --resume: the run keeps its own", name), {},
                    fmt::format("stella pack run --resume {}", *id));
    }
    return resume_run(call, *id);
  }
  const run::Submission submission = submission_of(call);
  if (call.flag("--detach")) return submit_detached(call, submission);
  auto secrets = secrets_of(call);
  auto journal = run::open_journal(call.home(), deciding_time(call));
  run::catch_signals();
  const auto place = take_place(call, journal, submission.tenant);
  const auto row = run::submit(call.home(), journal, submission, call.clock().now());
  call.out().note(row.id);
  const auto lock = journal.lock_run(row);
  run::Record record = run::load_record(call.home(), journal, row.id);
  RunConsole console(call);
  run::Live live(tools_for(call, journal, console, std::move(secrets)), record, choices_of(call, row.tenant));
  return carry_on(call, journal, live, console);
}

const std::vector<Option>& resume_options() {
  static const std::vector<Option> kOptions = {
      {"--secrets", "FILE", "secrets as a JSON object, where the mode allows it (`-`: standard input)", false, false,
       false},
      {"--detach", "", "print the run's id and let it go on by itself", false, false, false},
      {"--wait", "", "wait for a place and at closed gates instead of ending", false, false, false},
      {"--fail-fast", "", "end a step at its first blocked attempt", false, false, false},
      {"--extend", "DURATION", "more time for the gate", false, false, false},
      {"--rerun", "STEP", "run again a step that was in flight when the runner ended", false, true, false},
      {"--fail", "STEP", "give such a step up", false, true, false},
      {"--dry-run", "", "only say what would be reused and what would run", false, false, false},
      {.name = "--as-runner", .value = "", .help = "for --detach", .hidden = true},
      {.name = "--no-files", .value = "", .help = "for serve", .hidden = true},
      kViaOption,
  };
  return kOptions;
}

}  // namespace

std::vector<Command> run_moving_commands() {
  std::vector<Option> run_options = {
      {"--pack", "NAME:VERSION", "a pack of the registry", false, false, false},
      {"--bundle", "FILE", "a .pack file", false, false, false},
      {"--inputs", "FILE", "values, JSON or YAML (`-`: standard input)", false, false, false},
      {"--plan-hash", "sha256:HEX", "run only this plan", false, false, false},
      {"--resume", "RUN", "go on with a run", false, false, false},
  };
  run_options.insert(run_options.end(), resume_options().begin(), resume_options().end());
  std::vector<Option> again = {{"--run", "RUN", "the run", false, false, false}};
  again.insert(again.end(), resume_options().begin(), resume_options().end());
  return {
      {{"pack", "run"},
       "run a pack",
       "stella pack run --bundle firmware-rollout-1.4.0.pack --inputs inputs.json",
       {},
       run_options,
       run_pack},
      {{"pack", "runs", "resume"},
       "go on with a run, or make a new attempt of one that has ended",
       "stella pack runs resume --run run:plant-7:20261123T165433120Z",
       {{"RUN", "the run", false, false}},
       again,
       [](Invocation& call) { return resume_run(call, need_run(call)); }},
  };
}

}  // namespace stella::cli
