// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/trouble.hpp"

#include "appliance/console/answer.hpp"
#include "appliance/console/page_view.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {

http::Response trouble_page(Desk& desk, const Visit& visit, const page::Trouble& what, int status) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = page::error_page(frame_of(desk, visit), what);
  return response;
}

http::Response trouble_page(Desk& desk, const Visit& visit, const std::exception_ptr& why) {
  const http::Response said = error_response(why, 0);
  const canon::Json error = canon::parse_json(said.body, fault::Code::internal, "error").at("error");
  http::Response response = trouble_page(desk, visit,
                                         {.code = page::text_of(error, "code"),
                                          .message = page::text_of(error, "message"),
                                          .fix = page::text_of(error, "fix")},
                                         said.status);
  for (const auto& [name, value] : said.headers)
    if (name != "Content-Type") response.headers.emplace_back(name, value);
  return response;
}

}  // namespace stella::console
