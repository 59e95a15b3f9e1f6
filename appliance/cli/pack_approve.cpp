// SPDX-License-Identifier: Apache-2.0
// pack approve: ask people outside, take in what they decided, or decide here where the site allows it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "appliance/cli/command.hpp"
#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/desk.hpp"
#include "appliance/cli/via.hpp"
#include "appliance/decision/ask.hpp"
#include "appliance/decision/take.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/service/order.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/approval/review.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/named.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "vault/lease/lease.hpp"

namespace stella::cli {
namespace {

using fault::Code;

decision::Tool this_tool() {
  canon::Sha256 hasher;
  const files::InputRule rule{std::uint64_t{4} << 30, files::Empty::refuse, files::Links::follow};
  const files::Fd self = files::open_input("/proc/self/exe", rule);
  files::stream_input(self, "/proc/self/exe", rule.max_bytes, [&](std::string_view bytes) { hasher.update(bytes); });
  return {STELLA_VERSION, hasher.finish()};
}

std::string run_of(Invocation& inv) {
  const auto option = inv.value("--run"), plain = inv.value("RUN");
  if (option && plain && *option != *plain) throw fault::Error(Code::usage, "run", "two runs are named", "--run");
  if (option || plain) return option ? *option : *plain;
  return inv.need("--run");
}

decision::Wish wish_of(Invocation& inv) {
  decision::Wish wish{
      .run = run_of(inv), .gate = inv.value("--gate").value_or(""), .extend = std::nullopt, .tool = this_tool()};
  if (const auto extend = inv.value("--extend")) wish.extend = clock::parse_duration(*extend, Code::usage, "--extend");
  return wish;
}

std::string request_target(Invocation& inv, const approval::Request& request) {
  const std::string name = approval::request_file_name(request);
  const auto out = inv.value("--out");
  if (!out) return files::named(name);
  return files::is_folder(*out) ? *out + "/" + name : *out;
}

int offline_request(Invocation& inv) {
  journal::Journal journal = run::open_journal(inv.home(), deciding_time(inv));
  decision::Wish wish = wish_of(inv);
  wish.via = via_here(inv, journal.need(wish.run).tenant);
  if (inv.has_passphrases()) wish.vault = [&inv] { return lease::open_vault(inv.home(), inv.passphrases()); };
  const decision::Made made = decision::ask(inv.home(), journal, wish, deciding_time(inv));
  const approval::Asked& asked = made.request.asked;
  const std::string target = request_target(inv, made.request);
  if (target == "-") {
    inv.out().raw(made.request.parcel.bytes);
    return 0;
  }
  files::write_atomically(target, made.request.parcel.bytes, 0644);
  Output& out = inv.out();
  out.say(fmt::format("{} {}", made.is_new ? "Request" : "Request (the open one again)",
                      canon::printable(files::plain(target))));
  out.say(fmt::format("  gate {} of {}, needs {}, expires {}", asked.gate, asked.run, asked.threshold,
                      clock::format(asked.expires_at)));
  out.note(fmt::format("next, at an approver's desk: stella approval review {} --trust ADMIN.pub",
                       canon::printable(std::filesystem::path(target).filename().string())));
  out.result({{"requestId", asked.request_id},
              {"runId", asked.run},
              {"attempt", asked.attempt},
              {"gate", asked.gate},
              {"planHash", made.request.plan_hash.tagged()},
              {"threshold", asked.threshold},
              {"expiresAt", clock::format(asked.expires_at)},
              {"file", files::plain(target)},
              {"new", made.is_new}});
  return 0;
}

bool is_open(const decision::Taken& taken) {
  return taken.tally.standing == gate::Standing::open && !taken.held_until;
}

canon::Json result_of(const decision::Taken& taken) {
  return {{"runId", taken.run},
          {"delayedUntil", taken.held_until ? canon::Json(clock::format(*taken.held_until)) : canon::Json()},
          {"gate", taken.gate},
          {"approver", taken.approver},
          {"decision", approval::decision_name(taken.decision)},
          {"recorded", taken.is_new ? "new" : "already"},
          {"have", taken.tally.have},
          {"need", taken.tally.need},
          {"approvers", taken.tally.approvers},
          {"missingRoles", taken.tally.missing_roles},
          {"open", is_open(taken)}};
}

void say_taken(Output& out, const decision::Taken& taken) {
  const gate::Tally& tally = taken.tally;
  if (!taken.is_new) out.say("already recorded");
  out.say(fmt::format("{} {} gate {}: {}", canon::printable(taken.approver), approval::decision_name(taken.decision),
                      taken.gate, canon::printable(taken.comment)));
  std::string standing = fmt::format("gate {} has {} of {}", taken.gate, tally.have, tally.need);
  if (!tally.approvers.empty()) standing += fmt::format(" ({})", fmt::join(tally.approvers, ", "));
  if (!tally.missing_roles.empty()) standing += fmt::format("; still missing {}", fmt::join(tally.missing_roles, ", "));
  if (tally.expires_at) standing += fmt::format("; until {}", clock::format(*tally.expires_at));
  out.say(canon::printable(standing));
  if (taken.held_until)
    out.say(fmt::format("a chaos hook holds approvals back until {}", clock::format(*taken.held_until)));
  if (is_open(taken)) out.say("next: stella pack runs resume --run " + taken.run);
}

void take_one(Invocation& inv, journal::Journal& journal, const std::string& text, const std::string& name) {
  const decision::Taken taken = decision::take(inv.home(), journal, text, name, deciding_time(inv));
  say_taken(inv.out(), taken);
  inv.out().result(result_of(taken));
  if (taken.decision == approval::Decision::rejected)
    throw fault::Error(Code::pack_approval_rejected, "rejected",
                       fmt::format("{} rejected gate {}: {}", canon::printable(taken.approver), taken.gate,
                                   canon::printable(taken.comment)),
                       taken.run);
}

// Without a name: what lies in the current folder.
std::vector<std::string> response_files(Invocation& inv) {
  if (const auto file = inv.value("--offline-response"); file && !file->empty()) return {*file};
  if (service::order_taken() != nullptr)  // the current folder is the service's own
    throw fault::Error(Code::usage, "response", "a service does not look into your folder for responses",
                       "--offline-response", "Name the file: `stella pack approve --offline-response FILE`.");
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(".")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("RES-") && name.ends_with(".json")) found.push_back(name);
  }
  std::ranges::sort(found);
  if (found.empty())
    throw fault::Error(Code::file_not_found, "response", "no RES-*.json in the current folder", ".",
                       "Name the response file.");
  return found;
}

int offline_response(Invocation& inv) {
  journal::Journal journal = run::open_journal(inv.home(), deciding_time(inv));
  for (const std::string& file : response_files(inv))
    take_one(inv, journal, inv.read_argument(file, std::uint64_t{16} << 20), file);
  return 0;
}

void require_on_appliance(Invocation& inv) {
  const auto applied = site::load_applied(inv.home());
  if (!applied || applied->policy.on_appliance) return;
  throw fault::Error(Code::approval_roster, "on-appliance",
                     "the site policy says `onAppliance: false`: nobody approves on the appliance itself",
                     fmt::format("site policy version {}", applied->policy.version),
                     "Make a request with --offline-request and have it signed at an approver's desk.");
}

int decide_here(Invocation& inv) {
  require_on_appliance(inv);
  const std::string comment = inv.need("--comment");
  journal::Journal journal = run::open_journal(inv.home(), deciding_time(inv));
  const decision::Made made = decision::ask(inv.home(), journal, wish_of(inv), deciding_time(inv));
  const trust::LoadedKey key = inv.load_key();
  const approval::Voter voter = require_key(key, made.request);
  const approval::Decision decided = inv.flag("--reject") ? approval::Decision::rejected : approval::Decision::approved;
  const std::string text =
      approval::make_response(made.request, {decided, comment, voter.name, deciding_time(inv)}, key.key);
  take_one(inv, journal, text, approval::response_file_name(made.request, key.key.public_key()));
  return 0;
}

void require_together(Invocation& inv, bool holds, const std::string& option, const std::string& with) {
  if (holds && (inv.flag(option) || inv.value(option)))
    throw fault::Error(Code::usage, "options", fmt::format("{} does not go with {}", option, with), option);
}

int approve(Invocation& inv) {
  if (inv.flag("--qr") || inv.value("--qr")) refuse_option_for_now("--qr", "Carry the request file on a medium.");
  const bool asks = inv.flag("--offline-request"),
             takes = inv.flag("--offline-response") || inv.value("--offline-response");
  for (const char* option : {"--run", "--gate", "--offline-request"})
    require_together(inv, takes, option, "--offline-response");
  for (const char* option : {"--comment", "--key", "--reject"})
    require_together(inv, takes || asks, option, takes ? "--offline-response" : "--offline-request");
  for (const char* option : {"--out", "--extend"})
    require_together(inv, !asks, option, "anything but --offline-request");
  if (takes) return offline_response(inv);
  return asks ? offline_request(inv) : decide_here(inv);
}

}  // namespace

std::vector<Command> pack_approve_commands() {
  return {
      {.path = {"pack", "approve"},
       .summary = "ask for approval of a gate, take in a decision, or decide here",
       .example = "stella pack approve --run RUN --gate review --offline-request --out /media/stick",
       .positionals = {{"RUN", "the run, instead of --run", false}},
       .options =
           {{.name = "--run", .value = "RUN", .help = "the run that waits"},
            {.name = "--gate", .value = "GATE", .help = "the gate (default: the only one that waits)"},
            {.name = "--comment", .value = "TEXT", .help = "why; deciding here"},
            {.name = "--key", .value = "FILE", .help = "your private key, deciding here (default $STELLA_KEY)"},
            {.name = "--reject", .value = "", .help = "reject instead of approving"},
            {.name = "--offline-request", .value = "", .help = "write the request file for approvers at their desks"},
            {.name = "--out", .value = "FILE|DIR", .help = "where to write the request (default: the current folder)"},
            {.name = "--extend",
             .value = "DURATION",
             .help = "replace the open request by one that runs this long from now"},
            {.name = "--qr", .value = "PNG", .help = "comes with a later version", .optional_value = true},
            {.name = "--offline-response",
             .value = "FILE",
             .help = "take in a response (default: RES-*.json of the current folder)",
             .optional_value = true}},
       .act = approve}};
}

}  // namespace stella::cli
