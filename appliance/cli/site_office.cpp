// SPDX-License-Identifier: Apache-2.0
// site init, check, sign: the work of the site office.
#include <fmt/format.h>

#include <filesystem>

#include "appliance/cli/site.hpp"
#include "appliance/cli/site_template.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxPolicy = std::uint64_t{2} << 20;

std::string shown_name(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

int site_init(Invocation& call) {
  const std::string folder = call.need("DIR");
  const std::string wanted = std::filesystem::path(folder).lexically_normal().filename().string();
  const bool usable = !wanted.empty() && wanted.size() <= 63 && wanted.front() != '.' &&
                      wanted.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos &&
                      wanted.find_first_not_of("._-") == 0;
  files::make_folders(folder, 0755);
  const std::string path = (std::filesystem::path(folder) / "policy.yaml").string();
  files::write_atomically(path, policy_template(usable ? wanted : "my-site"), 0644, files::Replace::no);
  call.out().say(fmt::format("{}  fill in the names and keys", path));
  call.out().say(fmt::format("next: stella site check {}", path));
  call.out().result({{"file", path}});
  return 0;
}

// A signed file is JSON with a payload; people's policies are YAML, or JSON without one.
std::optional<dsse::Envelope> find_envelope(const std::string& text, const std::string& name) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos || text.front() != '{') return std::nullopt;
  if (text.find("\"payloadType\"") == std::string::npos) return std::nullopt;
  return dsse::parse(text, Code::site_invalid, name);
}

canon::Json problems_json(const std::vector<site::Problem>& problems) {
  canon::Json list = canon::Json::array();
  for (const site::Problem& each : problems)
    list.push_back({{"at", each.at}, {"reason", each.reason}, {"what", each.what}});
  return list;
}

int site_check(Invocation& call) {
  const std::string path = call.need("FILE"), name = shown_name(path);
  std::string text = call.read_argument(path, kMaxPolicy);
  if (const auto envelope = find_envelope(text, name)) text = envelope->payload;
  const site::Checked checked = site::check_policy(text, name);
  Output& out = call.out();
  for (const site::Problem& each : checked.problems)
    out.say(fmt::format("{} {}: {}", out.bad("problem"), each.at, each.what));
  for (const site::Problem& each : checked.warnings)
    out.say(fmt::format("{} {}: {}", out.strong("warning"), each.at, each.what));
  out.result({{"valid", checked.problems.empty()},
              {"problems", problems_json(checked.problems)},
              {"warnings", problems_json(checked.warnings)}});
  if (!checked.problems.empty()) {
    const site::Problem& first = checked.problems.front();
    throw Error(Code::site_invalid, first.reason,
                fmt::format("{} problems, the first: {}", checked.problems.size(), first.what), first.at,
                "Correct what is listed and check again; then sign it with `stella site sign`.");
  }
  out.say(fmt::format("{} {} is a good policy", out.good("ok"), name));
  return 0;
}

std::string signed_path(Invocation& call, const std::string& path, bool is_signed) {
  if (const auto out = call.value("--out")) return *out;
  if (path == "-") throw Error(Code::usage, "out", "with standard input --out must say where the signed policy goes");
  if (is_signed) return path;
  const std::filesystem::path file(path);
  return (file.parent_path() / file.stem()).string() + ".dsse.json";
}

int site_sign(Invocation& call) {
  const std::string path = call.need("FILE"), name = shown_name(path);
  const std::string text = call.read_argument(path, kMaxPolicy);
  std::optional<dsse::Envelope> envelope = find_envelope(text, name);
  if (envelope && envelope->payload_type != dsse::kSiteType) {
    throw Error(Code::site_invalid, "payload-type", fmt::format("{} is a signed file, but not a site policy", name),
                name);
  }
  const site::Policy policy = site::parse_policy(envelope ? envelope->payload : text, name);
  if (envelope && envelope->payload != policy.bytes) {
    throw Error(Code::site_invalid, "canonical", fmt::format("the policy in {} is not in its canonical form", name),
                name);
  }
  const std::string out_path = signed_path(call, path, envelope.has_value());
  const trust::LoadedKey key = call.load_key();
  if (envelope)
    dsse::add_signature(*envelope, key.key);
  else
    envelope = dsse::sign(dsse::kSiteType, policy.bytes, key.key);
  files::write_atomically(out_path, dsse::serialise(*envelope), 0644);
  const int have = site::count_signatures(*envelope, policy.admins.keys);
  Output& out = call.out();
  out.say(fmt::format("{}  site {} version {}, {} of {} admin signatures", out_path, policy.site, policy.version, have,
                      policy.admins.threshold));
  out.say(fmt::format("digest {}", policy.digest.tagged()));
  if (site::count_signatures(dsse::sign(dsse::kSiteType, policy.bytes, key.key), policy.admins.keys) == 0) {
    out.note(
        "This key is not one of the policy's admins: its signature counts only where it is an admin of the policy "
        "before.");
  }
  if (have < policy.admins.threshold)
    out.say(fmt::format("next: the other admins run `stella site sign {} --key THEIRS`", out_path));
  out.result({{"file", out_path},
              {"site", policy.site},
              {"version", policy.version},
              {"digest", policy.digest.tagged()},
              {"signatures", have},
              {"threshold", policy.admins.threshold}});
  return 0;
}

}  // namespace

std::vector<Command> site_office_commands() {
  return {
      {{"site", "init"},
       "write a commented policy.yaml to fill in",
       "stella site init plant-7",
       {{"DIR", "the folder to write it into", true, false}},
       {},
       site_init},
      {{"site", "check"},
       "list every problem of a policy with its place",
       "stella site check policy.yaml",
       {{"FILE", "the policy, YAML or signed", true, false}},
       {},
       site_check},
      {{"site", "sign"},
       "sign a policy; on a signed one, add a signature",
       "stella site sign policy.yaml --key admin.key",
       {{"FILE", "the policy, YAML or signed", true, false}},
       {{"--key", "K", "the admin's private key"},
        {"--out", "F", "where the signed policy goes (FILE with .dsse.json; a signed FILE itself)"}},
       site_sign},
  };
}

}  // namespace stella::cli
