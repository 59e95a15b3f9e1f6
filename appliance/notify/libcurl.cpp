// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/libcurl.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <string.h>

#include <cstdlib>
#include <optional>

namespace stella::notify {
namespace {

void wipe_and_free(void* block) {
  if (block == nullptr) return;
  ::explicit_bzero(block, ::malloc_usable_size(block));
  std::free(block);
}

void* grow(void* block, std::size_t size) {
  if (block == nullptr) return std::malloc(size);
  void* fresh = std::malloc(size);
  if (fresh == nullptr) return nullptr;
  const std::size_t old = ::malloc_usable_size(block);
  ::memcpy(fresh, block, old < size ? old : size);
  wipe_and_free(block);
  return fresh;
}

template <class Function>
bool find(void* library, const char* name, Function& into) {
  into = reinterpret_cast<Function>(::dlsym(library, name));
  return into != nullptr;
}

std::optional<Curl> load() {
  // With it in the environment libcurl writes the keys of its TLS sessions to a file.
  ::unsetenv("SSLKEYLOGFILE");
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return std::nullopt;
  Curl curl{};
  decltype(&curl_global_init_mem) start = nullptr;
  decltype(&curl_version_info) version = nullptr;
  const bool whole =
      find(library, "curl_global_init_mem", start) && find(library, "curl_version_info", version) &&
      find(library, "curl_easy_init", curl.init) && find(library, "curl_easy_cleanup", curl.cleanup) &&
      find(library, "curl_easy_setopt", curl.set) && find(library, "curl_easy_perform", curl.perform) &&
      find(library, "curl_easy_getinfo", curl.get) && find(library, "curl_easy_strerror", curl.error_text) &&
      find(library, "curl_slist_append", curl.append) && find(library, "curl_slist_free_all", curl.free_list);
  if (!whole || version(CURLVERSION_NOW)->version_num < 0x075500) return std::nullopt;
  if (start(CURL_GLOBAL_DEFAULT, std::malloc, wipe_and_free, grow, ::strdup, std::calloc) != CURLE_OK)
    return std::nullopt;
  return curl;
}

}  // namespace

const Curl* find_curl() {
  static const std::optional<Curl> kCurl = load();
  return kCurl ? &*kCurl : nullptr;
}

}  // namespace stella::notify
