// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/answer.hpp"

#include "bundles/canon/fields.hpp"

namespace stella::console {

std::string text_of(const canon::Json& object) {
  return object.dump(-1, ' ', false, canon::Json::error_handler_t::replace) + '\n';
}

http::Response text_response(std::string json, int status) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = std::move(json);
  return response;
}

http::Response json_response(const canon::Json& object, int status) {
  return text_response(text_of(object), status);
}

int status_of_exit(int exit_status) {
  switch (exit_status) {
    case 2:
      return 400;
    case 3:
    case 5:
      return 403;
    case 4:
      return 404;
    case 6:
    case 7:
      return 409;
    case 8:
      return 507;
    case 10:
      return 503;
    default:
      return 500;
  }
}

int status_of(const fault::Error& error) {
  return status_of_exit(error.exit_status());
}

http::Response denied_response(const Denied& denied) {
  const bool nobody = denied.reason() == "token";
  const std::string fix =
      "Make a token with `stella token new --tenant T --scopes packs.read` and send it as "
      "`Authorization: Bearer`.";
  http::Response response = json_response({{"error",
                                            {{"code", "ERR_ACCESS_DENIED"},
                                             {"reason", denied.reason()},
                                             {"message", canon::printable(denied.what())},
                                             {"at", ""},
                                             {"fix", denied.fix().empty() ? fix : denied.fix()},
                                             {"exit", 3}}}},
                                          nobody ? 401 : 403);
  if (nobody) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"stella\"");
  return response;
}

http::Response error_response(const fault::Error& error, int status) {
  const fault::CodeInfo& row = fault::info(error.code());
  http::Response response = json_response({{"error",
                                            {{"code", row.name},
                                             {"reason", error.reason()},
                                             {"message", canon::printable(error.what())},
                                             {"at", canon::printable(error.at())},
                                             {"fix", error.fix()},
                                             {"exit", row.exit_status}}}},
                                          status == 0 ? status_of(error) : status);
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response error_response(const std::exception_ptr& why, int status) {
  try {
    std::rethrow_exception(why);
  } catch (const Denied& denied) {
    return denied_response(denied);
  } catch (const fault::Error& error) {
    return error_response(error, status);
  } catch (const std::bad_alloc&) {
    return error_response(fault::Error(fault::Code::internal, "memory", "no memory is left"), status);
  } catch (const std::exception& error) {
    return error_response(fault::Error(fault::Code::internal, "exception", error.what()), status);
  }
}

http::Response see_other(const std::string& location) {
  http::Response response;
  response.status = 303;
  response.headers = {{"Location", location}};
  return response;
}

}  // namespace stella::console
