// SPDX-License-Identifier: Apache-2.0
// The parts in which pack.yaml is read; only manifest.cpp puts them together. One thread.
#pragma once

#include "appliance/pack/manifest.hpp"
#include "appliance/pack/section.hpp"

namespace stella::pack {

void read_inputs_part(Section& spec, Findings& findings, Manifest& manifest);
void read_secrets_part(Section& spec, Findings& findings, Manifest& manifest);
void read_approvals_part(Section& spec, Findings& findings, Manifest& manifest);
void read_outputs_part(Section& spec, Findings& findings, Manifest& manifest);
void read_runtime_part(Section& spec, Findings& findings, Manifest& manifest);
// A list of {host, port}; nullopt when the section has none.
[[nodiscard]] std::optional<std::vector<Ask>> read_network(Section& section, Findings& findings);
[[nodiscard]] std::optional<Retries> read_retries(Section& section, Findings& findings);
// Reads `defaults`, `failure` and `steps`. Item n of the result is item n of the document.
void read_steps_part(Section& spec, Findings& findings, Manifest& manifest);
// Names that steps use of each other and of the declarations; order and cycles of `needs`; expressions and templates.
void check_references(const Manifest& manifest, Findings& findings);

}  // namespace stella::pack
