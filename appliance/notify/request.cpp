// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "bundles/fault/error.hpp"
#include "bundles/site/notification.hpp"

namespace stella::notify {
namespace {

locked::Bytes joined(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  locked::Bytes bytes(size);
  std::size_t at = 0;
  for (const auto part : parts) {
    std::memcpy(bytes.data() + at, part.data(), part.size());
    at += part.size();
  }
  return bytes;
}

constexpr std::string_view kEnd{"\0", 1};

[[noreturn]] void unfit(const site::Notification& rule, const char* what) {
  throw fault::Error(fault::Code::key_unusable, "format",
                     fmt::format("the credential {} is no {}", rule.credential, what), rule.credential);
}

bool is_of(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

std::string origin_of(const Parcel& parcel, const char* scheme) {
  const bool v6 = parcel.way.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", scheme, v6 ? "[" : "", parcel.way.host, v6 ? "]" : "", parcel.way.port);
}

// The policy's path, and behind it what the credential says: `/services/` and `T000/B000/XXXX`.
std::string_view token_path(const site::Notification& rule, std::string_view token) {
  while (token.starts_with('/')) token.remove_prefix(1);
  if (token.empty() || !is_of(token, "/-._~") || token.find("..") != std::string_view::npos)
    unfit(rule, "path of a webhook");
  return token;
}

Request post(const Parcel& parcel, const locked::Bytes& credential) {
  const site::Notification& rule = *parcel.rule;
  Request request;
  const std::string origin = origin_of(parcel, rule.tls ? "https" : "http");
  std::string path = rule.path;
  if (rule.to == "pagerduty" && path == "/") path = "/v2/enqueue";
  request.headers = {"Content-Type: application/json", "Accept: application/json",
                     "Expect:", "Idempotency-Key: " + parcel.id};
  const std::string_view token = credential.view();
  if (rule.to == "slack") {
    const std::string_view slash = path.ends_with('/') ? "" : "/";
    request.url = joined({origin, path, slash, token_path(rule, token), kEnd});
  } else {
    request.url = joined({origin, path, kEnd});
  }
  if (rule.to == "pagerduty") {
    if (token.empty() || !is_of(token, "-_")) unfit(rule, "routing key");
    request.body = joined({"{\"routing_key\":\"", token, "\",", std::string_view(parcel.payload).substr(1)});
  } else {
    request.body = joined({parcel.payload});
  }
  if (rule.to == "webhook" && !token.empty()) request.authorization = joined({"Authorization: Bearer ", token, kEnd});
  return request;
}

// Port 465 speaks TLS from the first byte; elsewhere STARTTLS is asked for, and without it nothing is sent.
Request mail(const Parcel& parcel, const locked::Bytes& credential) {
  const site::Notification& rule = *parcel.rule;
  Request request;
  const bool at_once = rule.tls && parcel.way.port == 465;
  request.url = joined({origin_of(parcel, at_once ? "smtps" : "smtp"), "/", parcel.sender, kEnd});
  request.body = joined({parcel.payload});
  if (credential.empty()) return request;
  const std::string_view text = credential.view();
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) unfit(rule, "USER:PASSWORD");
  request.user = joined({text.substr(0, colon), kEnd});
  request.password = joined({text.substr(colon + 1), kEnd});
  return request;
}

}  // namespace

Request make_request(const Parcel& parcel, const locked::Bytes& credential) {
  return parcel.rule->to == "email" ? mail(parcel, credential) : post(parcel, credential);
}

}  // namespace stella::notify
