// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/pack/value_type.hpp"
#include "appliance/plan/expand.hpp"
#include "appliance/plan/parse_step.hpp"
#include "appliance/plan/plan.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::plan {
namespace {

using canon::Fields;
using canon::Json;

constexpr std::int64_t kMaxSize = std::int64_t{1} << 53;
constexpr std::size_t kMaxSteps = 200000;

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
    plan.max_parallel = small(top, "maxParallel", 1, 256);
    Gates gates;
    for (const Json& node : top.array("approvals", kMaxSteps)) {
      Gate read = gate(node);
      gates.emplace(read.id, std::move(read));
    }
    plan.steps = parse_steps(top.array("steps", kMaxSteps), {code_, at_, gates});
    for (const Json& node : top.array("secrets")) check_secret(node);
    read_network(top.object("network"), plan);
    for (const Json& node : top.array("outputs")) {
      Fields output = fields(node, ".outputs");
      plan.outputs.push_back(read_output(output));
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

  static Output read_output(Fields& output) {
    Output read;
    read.name = output.text("name");
    if (output.has("path")) {
      read.path = output.text("path");
    } else {
      read.type = *pack::find_type(output.choice("type", pack::type_names()));
      read.value = output.text("value");
    }
    output.finish();
    return read;
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

  void check_secret(const Json& node) const {
    (void)parse_secret(node, code_, at_);
    (void)fields(node, ".secrets").texts("steps");
  }

  void read_network(const Json& node, Plan& plan) const {
    Fields network = fields(node, ".network");
    for (const Json& each : network.array("allowed")) plan.allowed.push_back(parse_endpoint(each, code_, at_));
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
};

}  // namespace

Plan parse(std::string_view bytes, fault::Code code, const std::string& at) {
  const Json document = canon::parse_json(bytes, code, at, kMaxPlanBytes, canon::kMaxPlanValues);
  if (canon::canonical(document) != bytes) throw fault::Error(code, "plan", "the plan is not in RFC 8785 form", at);
  Plan plan = Reader(code, at).read(document);
  plan.document = document;
  plan.bytes = bytes;
  plan.hash = canon::sha256(bytes);
  return plan;
}

}  // namespace stella::plan
