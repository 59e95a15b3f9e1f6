// SPDX-License-Identifier: Apache-2.0
// The desk's verbs: approval review, approval sign.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "appliance/cli/command.hpp"
#include "appliance/cli/desk.hpp"
#include "bundles/approval/desk.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/approval/review.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::cli {
namespace {

using approval::Request;
using fault::Code;

void say_review(Output& out, const Request& request) {
  const std::string text = approval::review_text(request);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    out.say(std::string_view(text).substr(begin, end - begin));
    begin = end == std::string::npos ? text.size() : end + 1;
  }
}

std::string time_left(const Request& request, clock::Time now) {
  if (now > request.asked.expires_at) return "over by this desk's clock; the appliance decides";
  return clock::format_duration(request.asked.expires_at - now) + " by this desk's clock; the appliance decides";
}

canon::Json summary(const Request& request) {
  const approval::Asked& asked = request.asked;
  return {{"requestId", asked.request_id},
          {"runId", asked.run},
          {"attempt", asked.attempt},
          {"tenant", asked.tenant},
          {"gate", asked.gate},
          {"planHash", request.plan_hash.tagged()},
          {"appliance", asked.appliance},
          {"threshold", asked.threshold},
          {"issuedAt", clock::format(asked.issued_at)},
          {"expiresAt", clock::format(asked.expires_at)},
          {"displaySha256", approval::display_digest(request).tagged()}};
}

int review(Invocation& inv) {
  const std::string file = find_request_file(inv.need("FILE"));
  const Request request = open_request(inv, file);
  approval::remember(inv.home(), request);
  Output& out = inv.out();
  if (inv.flag("--plain")) {
    out.raw(approval::review_text(request));
    return 0;
  }
  say_review(out, request);
  out.say("Time left " + time_left(request, inv.clock().now()));
  out.say(
      fmt::format("Ledger    {} entries, consistent with what this desk has seen before", request.asked.ledger_size));
  out.say("Display   " + approval::display_digest(request).tagged());
  out.note(
      fmt::format("next: stella approval sign {} --key KEY --decision approved|rejected --comment TEXT --plan-hash {}",
                  canon::printable(file), request.plan_hash.tagged()));
  canon::Json result = summary(request);
  result["text"] = approval::review_text(request);
  out.result(result);
  return 0;
}

approval::Decision decision_of(Invocation& inv) {
  const std::string word = inv.need("--decision");
  if (word == "approved") return approval::Decision::approved;
  if (word == "rejected") return approval::Decision::rejected;
  throw fault::Error(Code::usage, "decision",
                     fmt::format("--decision is `{}`, not approved or rejected", canon::printable(word, 60)),
                     "--decision");
}

void require_plan_hash(Invocation& inv, const Request& request) {
  const auto wanted = inv.value("--plan-hash");
  if (!wanted) return;
  const canon::Digest digest = canon::parse_digest(*wanted, Code::usage, "--plan-hash");
  if (digest == request.plan_hash) return;
  throw fault::Error(
      Code::approval_mismatch, "plan-hash",
      fmt::format("the request is for plan {}, --plan-hash names {}", request.plan_hash.tagged(), digest.tagged()),
      request.parcel.name);
}

// Nobody signs what they have not been shown: a person types part of the run's name, a script names the plan's hash.
void require_intent(Invocation& inv, const Request& request) {
  require_plan_hash(inv, request);
  if (inv.value("--plan-hash") && inv.yes()) return;
  if (!inv.is_terminal())
    throw fault::Error(
        Code::usage, "confirm", "without a terminal, signing needs --plan-hash and --yes", {},
        fmt::format("Read `stella approval review`, then add --plan-hash {} --yes", request.plan_hash.tagged()));
  say_review(inv.out(), request);
  const std::string& run = request.asked.run;
  const std::string last = run.substr(run.size() - std::min<std::size_t>(6, run.size()));
  std::cerr << "Type the run's last 6 characters to sign `" << inv.need("--decision")
            << "`, anything else to leave: " << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  if (typed != last)
    throw fault::Error(Code::usage, "confirm", "the run's last 6 characters were not typed; nothing was signed");
}

std::string comment_of(Invocation& inv) {
  std::string comment = inv.need("--comment");
  if (comment.find_first_not_of(" \t\n") == std::string::npos)
    throw fault::Error(Code::usage, "comment", "a decision needs a comment", "--comment");
  if (comment.size() > approval::kMaxCommentBytes)
    throw fault::Error(
        Code::usage, "comment",
        fmt::format("a comment has at most {} bytes, this one has {}", approval::kMaxCommentBytes, comment.size()),
        "--comment");
  return comment;
}

std::string response_path(Invocation& inv, const std::string& file, const Request& request,
                          const trust::PublicKey& key) {
  const std::string name = approval::response_file_name(request, key);
  if (const auto out = inv.value("--out")) return std::filesystem::is_directory(*out) ? *out + "/" + name : *out;
  if (file == "-") return name;
  return (std::filesystem::path(file).parent_path() / name).string();
}

int sign(Invocation& inv) {
  const approval::Decision decision = decision_of(inv);
  const std::string comment = comment_of(inv);
  const std::string file = find_request_file(inv.need("FILE"));
  const Request request = open_request(inv, file);
  require_intent(inv, request);
  const trust::LoadedKey key = inv.load_key();
  const approval::Voter voter = require_key(key, request);
  const std::string text =
      approval::make_response(request, {decision, comment, voter.name, inv.clock().now()}, key.key);
  approval::remember(inv.home(), request);
  Output& out = inv.out();
  const std::string path = response_path(inv, file, request, key.key.public_key());
  if (path == "-") {
    out.raw(text);
    return 0;
  }
  files::write_atomically(path, text, 0644);
  out.say(fmt::format("{} {} gate {} of {}", canon::printable(voter.name), approval::decision_name(decision),
                      canon::printable(request.asked.gate), canon::printable(request.asked.run)));
  out.say("Response  " + canon::printable(path));
  out.note("next: carry the response back; there: stella pack approve --offline-response " +
           std::filesystem::path(path).filename().string());
  canon::Json result = summary(request);
  result["decision"] = approval::decision_name(decision);
  result["approver"] = voter.name;
  result["response"] = path;
  out.result(result);
  return 0;
}

}  // namespace

std::vector<Command> approval_commands() {
  const Positional file{"FILE", "the request, or a folder or medium that holds exactly one REQ-*.json"};
  const Option trust{.name = "--trust",
                     .value = "ADMIN.pub",
                     .help = "a site admin's public key, from your own source (default: those pinned in the home)",
                     .repeatable = true};
  return {
      {.path = {"approval", "review"},
       .summary = "show what is asked for, verified from the site admins' keys down",
       .example = "stella approval review REQ-review-1a2b3c4d.json --trust admin.pub",
       .positionals = {file},
       .options = {trust, {.name = "--plain", .value = "", .help = "exactly the text whose digest is signed"}},
       .act = review},
      {.path = {"approval", "sign"},
       .summary = "approve or reject what a request asks for",
       .example = "stella approval sign REQ-review-1a2b3c4d.json --key ada.key --decision approved --comment 'Checked "
                  "the SBOM'",
       .positionals = {file},
       .options =
           {{.name = "--key", .value = "FILE", .help = "your private key (default $STELLA_KEY)"},
            trust,
            {.name = "--decision", .value = "WORD", .help = "approved or rejected", .required = true},
            {.name = "--comment", .value = "TEXT", .help = "why; up to 2,000 bytes", .required = true},
            {.name = "--plan-hash", .value = "sha256:HEX", .help = "the plan you read; needed without a terminal"},
            {.name = "--out", .value = "FILE", .help = "where to write the response (default: beside the request)"},
            {.name = "--qr", .value = "PNG", .help = "comes with a later version", .optional_value = true}},
       .act =
           [](Invocation& inv) {
             if (inv.flag("--qr") || inv.value("--qr"))
               refuse_option_for_now("--qr", "Carry the response file on a medium.");
             return sign(inv);
           }},
  };
}

}  // namespace stella::cli
