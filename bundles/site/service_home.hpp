// SPDX-License-Identifier: Apache-2.0
// Whether this machine's stella is a service: root says so in /etc/stella/service.json. The home belongs to the
// service's own user then, and operators reach it through a socket (security.md rule 7). Any thread.
#pragma once

#include <optional>
#include <string>

#include "bundles/files/home.hpp"

namespace stella::site {

inline constexpr const char* kServiceFile = "/etc/stella/service.json";

struct ServiceHome {
  std::string home, socket;  // absolute
  std::string group;         // of the socket: who may connect at all; empty: the service user's own
};
// Shape: {"schema": "stella.service.v1", "home": PATH, "socket": PATH, "group"?: NAME}. nullopt when there is no such
// file. ERR_HOME_UNSAFE, reason `service-file`, when it is not root's alone or is no such document.
[[nodiscard]] std::optional<ServiceHome> load_service_home(const std::string& path = kServiceFile);
[[nodiscard]] ServiceHome parse_service_home(const std::string& text, const std::string& name);

// The home that the file names; evidence and requests say `service` for it and `personal` for any other.
[[nodiscard]] bool is_service_home(const files::Home& home);
[[nodiscard]] std::string home_kind(const files::Home& home);

}  // namespace stella::site
