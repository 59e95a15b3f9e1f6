// SPDX-License-Identifier: Apache-2.0
// pax names are UTF-8 and libarchive turns them into the locale's charset: this thread's is UTF-8 meanwhile.
#pragma once

#include <locale.h>

#include "bundles/fault/error.hpp"

namespace stella::archive {

class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ == nullptr) throw fault::Error(fault::Code::internal, "locale", "the C.UTF-8 locale is missing");
    before_ = ::uselocale(locale_);
  }
  ~Utf8Locale() {
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_, before_ = nullptr;
};

}  // namespace stella::archive
