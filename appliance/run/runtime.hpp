// SPDX-License-Identifier: Apache-2.0
// The runtime image of a run's plan: prepared before its first step starts, and put under each step. One thread.
#pragma once

#include "appliance/run/live.hpp"
#include "appliance/sandbox/step.hpp"

namespace stella::run {

// Unpacks the image that the plan pins, or holds the unpacked one against its listing. Nothing to do for a plan whose
// runtime is the host. Errors: image::prepare's.
void prepare_runtime(Live& live);
// Gives the step the prepared image for its root; throws internal for a plan with an image that was not prepared.
void use_runtime(sandbox::Spec& spec, const Record& record);

}  // namespace stella::run
