// SPDX-License-Identifier: Apache-2.0
// Files for a folder that a person named: written by this process, or by the operator's own in front of a service, so
// that a service never opens a path that an operator chose. One thread.
#pragma once

#include "appliance/service/delivery.hpp"

namespace stella::cli {

// `label` names the work in a progress bar; empty: none. Errors as service::deliver_here and deliver_through.
[[nodiscard]] service::Delivered deliver(const service::Destination& to, const std::vector<media::File>& files,
                                         const media::Source& source, const std::string& label);

}  // namespace stella::cli
