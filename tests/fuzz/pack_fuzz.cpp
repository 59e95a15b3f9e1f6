// SPDX-License-Identifier: Apache-2.0
// pack.yaml: each problem has its place; a manifest without problems plans, the plan is read back from its bytes as it
// was made, twice made it is the same, and turns that only a run can make are made of it.
#include "appliance/pack/inputs.hpp"
#include "appliance/plan/plan.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using namespace stella;

plan::Plan plan_of(const pack::Manifest& manifest, const pack::Inputs& inputs) {
  return plan::make({.manifest = manifest, .pack_digest = {}, .inputs = inputs, .policy = nullptr, .tenant = "fuzz"});
}

void try_turns(const plan::Plan& plan) {
  const canon::Json items = canon::Json::array({"a", canon::Json{{"b", 1}}, nullptr});
  for (const plan::Step& step : plan.steps) {
    if (!step.dynamic) continue;
    int number = 0;
    for (const canon::Json& item : items) {
      const auto once = plan::instantiate(plan, step, number, item),
                 again = plan::instantiate(plan, step, number, item);
      fuzz::require(!once.empty() && once.size() == again.size());
      for (std::size_t i = 0; i < once.size(); ++i) fuzz::require(once[i].digest == again[i].digest);
      ++number;
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] {
    const pack::Reading reading = pack::read_manifest(text, "pack.yaml");
    for (const auto& problem : reading.problems)
      fuzz::require(problem.at.starts_with("pack.yaml:") && !problem.what.empty());
    if (!reading.problems.empty()) return;
    const auto no_files = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    const pack::Inputs inputs = pack::read_inputs(reading.manifest, std::nullopt, no_files);
    const plan::Plan plan = plan_of(reading.manifest, inputs);
    fuzz::require(plan_of(reading.manifest, inputs).hash == plan.hash);
    fuzz::require(plan::parse(plan.bytes, fault::Code::pack_invalid, "plan").bytes == plan.bytes);
    (void)plan::simulation(plan);
    fuzz::refusing_is_fine([&] { try_turns(plan); });
  });
  return 0;
}
