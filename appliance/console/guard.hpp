// SPDX-License-Identifier: Apache-2.0
// Who asks, and whether their browser was led here by another site. Any thread.
#pragma once

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"

namespace stella::console {

// Against DNS rebinding and other sites: on TCP the Host must be 127.0.0.1, localhost or [::1] with our port, and an
// Origin, where there is one, the same; Denied, reasons `host`, `origin`.
void check_site(const http::Request& request, const http::Address& address);

// Denied, reason `token`: none, or none that is any good (revoked, expired, unknown). A browser's session
// stands for its token; on a Unix socket the home's owner needs none.
[[nodiscard]] Principal identify(Office& office, const http::Request& request, clock::Time now);
// Whether identify() would still let in who got in by this pass, with a scope to read. Cheap: the files of the home are
// read again only when they have changed.
[[nodiscard]] bool is_good_still(Office& office, const std::string& pass, clock::Time now);
// Reasons `scope`; `form` for a POST of a browser's session without the form token (field or header `X-Stella-Form`),
// or from no known origin.
void require_scope(const Principal& who, Need need);
void require_form_token(Office& office, const http::Request& request, const Principal& who);

[[nodiscard]] std::string cookie_name(const http::Address& address);
// A form's field, whichever way the form was sent; empty when there is none.
[[nodiscard]] std::string form_field(const http::Request& request, std::string_view name);

}  // namespace stella::console
