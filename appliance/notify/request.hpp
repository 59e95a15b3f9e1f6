// SPDX-License-Identifier: Apache-2.0
// What goes over the wire, put together in locked memory where a credential is in it. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/notify/courier.hpp"

namespace stella::notify {

struct Request {
  locked::Bytes url;                 // with an end of text behind it; Slack's holds the token
  std::vector<std::string> headers;  // none is secret
  locked::Bytes authorization;       // `Authorization: Bearer …` with an end of text, or empty
  locked::Bytes user, password;      // mail; with ends of text, or empty
  locked::Bytes body;                // PagerDuty's holds the routing key
};
// ERR_KEY_UNUSABLE reason `format`: the credential is not what this receiver's are like.
[[nodiscard]] Request make_request(const Parcel& parcel, const locked::Bytes& credential);

}  // namespace stella::notify
