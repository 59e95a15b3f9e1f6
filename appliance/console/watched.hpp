// SPDX-License-Identifier: Apache-2.0
// Answers that take their time end when who asked may no longer read: a log or a file that somebody downloads slowly.
#pragma once

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"

namespace stella::console {

// The response with its stream, or its file when that is larger than 1 MiB, looked after: it breaks off within a second
// of the end of the visitor's right. All else is sent as it is.
[[nodiscard]] http::Response watched(Office& office, const Principal& who, http::Response response);

}  // namespace stella::console
