// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "appliance/plan/plan.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::plan {
namespace {

using canon::Fields;
using canon::Json;

constexpr std::int64_t kMaxSize = std::int64_t{1} << 53;

class Reader {
 public:
  Reader(fault::Code code, std::string at) : code_(code), at_(std::move(at)) {}

  Plan read(const Json& document) {
    Plan plan;
    Fields top = fields(document, "");
    (void)top.choice("schema", {"stella.plan.v1"});
    (void)top.choice("mode", {"sealed", "constrained", "connected"});
    plan.runtime = runtime(top.any("runtime"));
    plan.tenant = top.text("tenant");
    read_pack(top.object("pack"), plan);
    plan.inputs = top.object("inputs");
    read_files(top.object("files"), plan);
    for (const Json& node : top.array("approvals")) gates_.push_back(gate(node));
    for (const Json& node : top.array("steps")) plan.steps.push_back(step(node));
    for (const Json& node : top.array("secrets")) check_secret(node);
    read_network(top.object("network"), plan);
    for (const Json& node : top.array("outputs")) {
      Fields output = fields(node, ".outputs");
      plan.outputs.push_back({output.text("name"), output.text("path")});
      output.finish();
    }
    top.finish();
    return plan;
  }

 private:
  [[nodiscard]] Fields fields(const Json& node, const std::string& place) const {
    return {node, code_, "plan", at_ + place};
  }
  [[nodiscard]] static int small(Fields& from, std::string_view name, int min, int max) {
    return static_cast<int>(from.integer(name, min, max));
  }

  [[nodiscard]] std::optional<pack::Runtime> runtime(const Json& node) const {
    if (node == "host") return std::nullopt;
    Fields image = fields(node, ".runtime");
    pack::Runtime runtime{image.text("image", 128),
                          canon::parse_digest(image.text("digest"), code_, at_ + ".runtime.digest")};
    image.finish();
    return runtime;
  }

  void read_pack(const Json& node, Plan& plan) const {
    Fields pack = fields(node, ".pack");
    plan.pack_name = pack.text("name");
    plan.pack_version = pack.text("version");
    plan.pack_digest = canon::parse_digest(pack.text("digest"), code_, at_ + ".pack.digest");
    pack.finish();
  }

  void read_files(const Json& node, Plan& plan) const {
    for (const auto& [name, value] : node.items()) {
      Fields file = fields(value, ".files");
      plan.files[name] = {canon::parse_hex_digest(file.text("sha256"), code_, at_ + ".files"),
                          static_cast<std::uint64_t>(file.integer("size", 0, kMaxSize))};
      file.finish();
    }
  }

  [[nodiscard]] clock::Duration duration(Fields& from, std::string_view name) const {
    return clock::parse_duration(from.text(name), code_, fmt::format("{}: {}", at_, name));
  }

  [[nodiscard]] Gate gate(const Json& node) const {
    Fields entry = fields(node, ".approvals");
    Gate gate;
    gate.id = entry.text("id");
    gate.threshold = small(entry, "threshold", 1, 1000);
    for (const auto& [role, count] : entry.object("roles").items()) {
      if (!count.is_number_integer() || count < 1) entry.fail("a role's count is an integer from 1", "roles");
      gate.roles[role] = count.get<int>();
    }
    gate.expires_after = duration(entry, "expiresAfter");
    gate.message = entry.maybe_text("message").value_or("");
    entry.finish();
    return gate;
  }

  [[nodiscard]] Word word(const Json& node) const {
    if (node.is_string()) return {node.get<std::string>(), false};
    Fields open = fields(node, ": an argument");
    Word word{open.text("template"), true};
    open.finish();
    return word;
  }

  [[nodiscard]] Endpoint endpoint(const Json& node) const {
    Fields entry = fields(node, ": an endpoint");
    Endpoint endpoint{entry.text("host"), entry.text("address"), small(entry, "port", 1, 65535)};
    entry.finish();
    return endpoint;
  }

  [[nodiscard]] Secret secret(const Json& node) const {
    Fields entry = fields(node, ": a secret");
    Secret secret{entry.text("name"), entry.text("scope"), entry.maybe_text("env").value_or("")};
    if (entry.choice("as", {"file", "env"}) == (secret.env.empty() ? "env" : "file"))
      entry.fail("`as` and `env` disagree", "as");
    entry.ignore("steps");
    entry.finish();
    return secret;
  }

  void check_secret(const Json& node) const {
    (void)secret(node);
    (void)fields(node, ".secrets").texts("steps");
  }

  [[nodiscard]] Retries retries(const Json& node) const {
    Fields entry = fields(node, ".retries");
    Retries retries;
    retries.max_attempts = small(entry, "maxAttempts", 1, 100);
    const auto number = [&](std::string_view name) {
      const Json& value = entry.any(name);
      if (!value.is_number() || value < 0) entry.fail("a number from 0 belongs here", name);
      return value.get<double>();
    };
    retries.backoff_seconds = number("backoffSeconds");
    retries.factor = number("factor");
    retries.max_backoff_seconds = number("maxBackoffSeconds");
    retries.jitter = number("jitter");
    retries.on = entry.texts("on");
    entry.finish();
    return retries;
  }

  void read_run(Fields& node, Step& step) const {
    if (node.has("script"))
      step.script = node.text("script", std::size_t{1} << 20);
    else
      for (const Json& each : node.array("command")) step.command.push_back(word(each));
    if (step.script.empty() && step.command.empty()) node.fail("a run step has a command or a script", "command");
    if (node.has("env"))
      for (const auto& [name, value] : node.object("env").items()) step.env[name] = word(value);
    if (node.has("secrets"))
      for (const Json& each : node.array("secrets")) step.secrets.push_back(secret(each));
    if (node.has("network"))
      for (const Json& each : node.array("network")) step.network.push_back(endpoint(each));
    step.timeout = duration(node, "timeout");
    if (const Json* value = node.maybe("retries")) step.retries = retries(*value);
    step.continue_on_error = node.has("continueOnError") && node.boolean("continueOnError");
    const std::string on_crash = node.choice("onCrash", {"rerun", "fail", "ask"});
    step.on_crash = on_crash == "rerun" ? OnCrash::rerun : on_crash == "fail" ? OnCrash::fail : OnCrash::ask;
  }

  void read_gate(Fields& node, Step& step) const {
    const std::string id = node.text("approval");
    const auto found = std::ranges::find(gates_, id, &Gate::id);
    if (found == gates_.end())
      node.fail(fmt::format("no approval `{}` is listed", canon::printable(id, 63)), "approval");
    step.gate = *found;
  }

  Step step(const Json& json) {
    Fields node = fields(json, ".steps");
    Step step;
    step.id = node.text("id");
    step.needs = node.texts("needs");
    for (const std::string& need : step.needs)
      if (std::ranges::find(ids_, need) == ids_.end())
        node.fail("a step needs only steps that stand before it", "needs");
    if (std::ranges::find(ids_, step.id) != ids_.end()) node.fail("the step is there twice", "id");
    ids_.push_back(step.id);
    step.when = node.maybe_text("when").value_or("");
    step.step_class = node.choice("class", {"pending", "skipped", "requires-approval", "requires-policy"});
    const std::string kind = node.choice("kind", {"run", "gate.approval", "gate.policy"});
    if (kind == "run") {
      read_run(node, step);
    } else if (kind == "gate.approval") {
      step.kind = Kind::gate_approval;
      read_gate(node, step);
    } else {
      step.kind = Kind::gate_policy;
      step.expression = node.text("expression");
      step.message = node.maybe_text("message").value_or("");
    }
    node.finish();
    step.digest = canon::sha256(canon::canonical(json));
    return step;
  }

  void read_network(const Json& node, Plan& plan) const {
    Fields network = fields(node, ".network");
    for (const Json& each : network.array("allowed")) plan.allowed.push_back(endpoint(each));
    for (const char* name : {"asked", "refused"})
      for (const Json& each : network.array(name)) {
        Fields entry = fields(each, ".network");
        (void)entry.text("host");
        (void)entry.integer("port", 1, 65535);
        entry.finish();
      }
    network.finish();
  }

  fault::Code code_;
  std::string at_;
  std::vector<Gate> gates_;
  std::vector<std::string> ids_;
};

}  // namespace

Plan parse(std::string_view bytes, fault::Code code, const std::string& at) {
  const Json document = canon::parse_json(bytes, code, at, std::size_t{16} << 20, canon::kMaxPlanValues);
  if (canon::canonical(document) != bytes) throw fault::Error(code, "plan", "the plan is not in RFC 8785 form", at);
  Plan plan = Reader(code, at).read(document);
  plan.document = document;
  plan.bytes = bytes;
  plan.hash = canon::sha256(bytes);
  return plan;
}

}  // namespace stella::plan
