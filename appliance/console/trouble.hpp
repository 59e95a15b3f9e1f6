// SPDX-License-Identifier: Apache-2.0
// What went wrong, as people are told: a page in the frame of the others. Any of the server's threads.
#pragma once

#include <exception>

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/page/frame.hpp"

namespace stella::console {

[[nodiscard]] http::Response trouble_page(Desk& desk, const Visit& visit, const page::Trouble& what, int status);
// With the status that error_response gives it.
[[nodiscard]] http::Response trouble_page(Desk& desk, const Visit& visit, const std::exception_ptr& why);

}  // namespace stella::console
