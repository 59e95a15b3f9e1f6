// SPDX-License-Identifier: Apache-2.0
// Answers in JSON, and errors as answers. Any thread.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "appliance/http/message.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {

// Refuses who asks: 401 for the reason `token`, else 403.
class Denied : public std::runtime_error {
 public:
  Denied(std::string_view reason, const std::string& what, std::string fix = {})
      : std::runtime_error(what), reason_(reason), fix_(std::move(fix)) {}
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] const std::string& fix() const noexcept { return fix_; }

 private:
  std::string reason_, fix_;
};
// {"error": {"code": "ERR_ACCESS_DENIED", ...}}
[[nodiscard]] http::Response denied_response(const Denied& denied);

[[nodiscard]] std::string text_of(const canon::Json& object);
[[nodiscard]] http::Response text_response(std::string json, int status = 200);  // of text_of
[[nodiscard]] http::Response json_response(const canon::Json& object, int status = 200);
// The HTTP status of an error by its exit status (contract section 3): 2 -> 400, 3 -> 403, 4 -> 404,
// 5 -> 403, 6 -> 409, 7 -> 409, 8 -> 507, 10 -> 503, all else 500.
[[nodiscard]] int status_of(const fault::Error& error);
[[nodiscard]] int status_of_exit(int exit_status);
// {"error": {code, reason, message, at, fix, exit}}, as --output json says it. status 0: status_of(error).
[[nodiscard]] http::Response error_response(const fault::Error& error, int status = 0);
[[nodiscard]] http::Response error_response(const std::exception_ptr& why, int status = 0);
[[nodiscard]] http::Response see_other(const std::string& location);

}  // namespace stella::console
