// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/runtime.hpp"

#include <fmt/format.h>

namespace stella::run {

void prepare_runtime(Live& live) {
  const auto& runtime = live.plan().runtime;
  if (!runtime) return;
  live.record().runtime = image::prepare(*runtime, *live.record().pack, *live.tools().home);
  if (const std::size_t left_out = live.record().runtime->left_out; left_out > 0 && live.tools().listener != nullptr)
    live.tools().listener->note(fmt::format("image {}: {} devices and pipes were left out", runtime->text(), left_out));
}

void use_runtime(sandbox::Spec& spec, const Record& record) {
  if (!record.plan->runtime) return;
  if (!record.runtime)
    throw fault::Error(fault::Code::internal, "image", "a step was started before its image was prepared",
                       spec.step_id);
  spec.root = record.runtime->root;
  spec.root_env = record.runtime->env;
}

}  // namespace stella::run
