// SPDX-License-Identifier: Apache-2.0
// libcurl, loaded when it is first needed: linked in, it and the thirty libraries behind it would cost every call of
// stella 13 ms. Nobody outside this room includes this. One thread.
#pragma once

#include <curl/curl.h>

namespace stella::notify {

struct Curl {
  decltype(&curl_easy_init) init;
  decltype(&curl_easy_cleanup) cleanup;
  decltype(&curl_easy_setopt) set;
  decltype(&curl_easy_perform) perform;
  decltype(&curl_easy_getinfo) get;
  decltype(&curl_easy_strerror) error_text;
  decltype(&curl_slist_append) append;
  decltype(&curl_slist_free_all) free_list;
};
// nullptr: there is no libcurl 7.85 or later on this machine. Its memory is wiped when it gives it back, because it
// copies what it is handed.
[[nodiscard]] const Curl* find_curl();

}  // namespace stella::notify
