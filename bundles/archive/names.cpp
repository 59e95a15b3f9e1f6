// SPDX-License-Identifier: Apache-2.0
#include "bundles/archive/names.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>
#include <wctype.h>

#include <algorithm>
#include <array>

#include "bundles/canon/fields.hpp"
#include "bundles/files/fd.hpp"

namespace stella::archive {
namespace {

constexpr std::size_t kMaxPart = 255, kMaxPath = 4096, kMaxParts = 128;
constexpr std::uint64_t kMaxNameBytes = std::uint64_t{64} << 20;

struct Range {
  char32_t first, last;
};
// NFC_Quick_Check=No, and the combining marks that compose with the scripts people write file names in. From
// UnicodeData 14.0: every code point that NFC changes; U+0300..036F, kana marks and conjoining jamo.
constexpr std::array kNotComposed = {
    Range{0x300, 0x36f},     Range{0x374, 0x374},    Range{0x37e, 0x37e},   Range{0x387, 0x387},
    Range{0x958, 0x95f},     Range{0x9dc, 0x9dd},    Range{0x9df, 0x9df},   Range{0xa33, 0xa33},
    Range{0xa36, 0xa36},     Range{0xa59, 0xa5b},    Range{0xa5e, 0xa5e},   Range{0xb5c, 0xb5d},
    Range{0xf43, 0xf43},     Range{0xf4d, 0xf4d},    Range{0xf52, 0xf52},   Range{0xf57, 0xf57},
    Range{0xf5c, 0xf5c},     Range{0xf69, 0xf69},    Range{0xf73, 0xf73},   Range{0xf75, 0xf76},
    Range{0xf78, 0xf78},     Range{0xf81, 0xf81},    Range{0xf93, 0xf93},   Range{0xf9d, 0xf9d},
    Range{0xfa2, 0xfa2},     Range{0xfa7, 0xfa7},    Range{0xfac, 0xfac},   Range{0xfb9, 0xfb9},
    Range{0x1161, 0x11ff},   Range{0x1f71, 0x1f71},  Range{0x1f73, 0x1f73}, Range{0x1f75, 0x1f75},
    Range{0x1f77, 0x1f77},   Range{0x1f79, 0x1f79},  Range{0x1f7b, 0x1f7b}, Range{0x1f7d, 0x1f7d},
    Range{0x1fbb, 0x1fbb},   Range{0x1fbe, 0x1fbe},  Range{0x1fc9, 0x1fc9}, Range{0x1fcb, 0x1fcb},
    Range{0x1fd3, 0x1fd3},   Range{0x1fdb, 0x1fdb},  Range{0x1fe3, 0x1fe3}, Range{0x1feb, 0x1feb},
    Range{0x1fee, 0x1fef},   Range{0x1ff9, 0x1ff9},  Range{0x1ffb, 0x1ffb}, Range{0x1ffd, 0x1ffd},
    Range{0x2000, 0x2001},   Range{0x2126, 0x2126},  Range{0x212a, 0x212b}, Range{0x2329, 0x232a},
    Range{0x2adc, 0x2adc},   Range{0x3099, 0x309a},  Range{0xf900, 0xfa0d}, Range{0xfa10, 0xfa10},
    Range{0xfa12, 0xfa12},   Range{0xfa15, 0xfa1e},  Range{0xfa20, 0xfa20}, Range{0xfa22, 0xfa22},
    Range{0xfa25, 0xfa26},   Range{0xfa2a, 0xfa6d},  Range{0xfa70, 0xfad9}, Range{0xfb1d, 0xfb1d},
    Range{0xfb1f, 0xfb1f},   Range{0xfb2a, 0xfb36},  Range{0xfb38, 0xfb3c}, Range{0xfb3e, 0xfb3e},
    Range{0xfb40, 0xfb41},   Range{0xfb43, 0xfb44},  Range{0xfb46, 0xfb4e}, Range{0x1d15e, 0x1d164},
    Range{0x1d1bb, 0x1d1c0}, Range{0x2f800, 0x2fa1d}};

struct Pair {
  char32_t base, mark;
};
// The remaining canonical compositions: both parts are ordinary letters or signs, so only together are they refused.
constexpr std::array kComposes = {
    Pair{0x627, 0x653},     Pair{0x627, 0x654},     Pair{0x648, 0x654},     Pair{0x627, 0x655},
    Pair{0x64a, 0x654},     Pair{0x6d5, 0x654},     Pair{0x6c1, 0x654},     Pair{0x6d2, 0x654},
    Pair{0x928, 0x93c},     Pair{0x930, 0x93c},     Pair{0x933, 0x93c},     Pair{0x9c7, 0x9be},
    Pair{0x9c7, 0x9d7},     Pair{0xb47, 0xb56},     Pair{0xb47, 0xb3e},     Pair{0xb47, 0xb57},
    Pair{0xb92, 0xbd7},     Pair{0xbc6, 0xbbe},     Pair{0xbc7, 0xbbe},     Pair{0xbc6, 0xbd7},
    Pair{0xc46, 0xc56},     Pair{0xcbf, 0xcd5},     Pair{0xcc6, 0xcd5},     Pair{0xcc6, 0xcd6},
    Pair{0xcc6, 0xcc2},     Pair{0xcca, 0xcd5},     Pair{0xd46, 0xd3e},     Pair{0xd47, 0xd3e},
    Pair{0xd46, 0xd57},     Pair{0xdd9, 0xdca},     Pair{0xdd9, 0xdcf},     Pair{0xddc, 0xdca},
    Pair{0xdd9, 0xddf},     Pair{0x1025, 0x102e},   Pair{0x1b05, 0x1b35},   Pair{0x1b07, 0x1b35},
    Pair{0x1b09, 0x1b35},   Pair{0x1b0b, 0x1b35},   Pair{0x1b0d, 0x1b35},   Pair{0x1b11, 0x1b35},
    Pair{0x1b3a, 0x1b35},   Pair{0x1b3c, 0x1b35},   Pair{0x1b3e, 0x1b35},   Pair{0x1b3f, 0x1b35},
    Pair{0x1b42, 0x1b35},   Pair{0x11099, 0x110ba}, Pair{0x1109b, 0x110ba}, Pair{0x110a5, 0x110ba},
    Pair{0x11131, 0x11127}, Pair{0x11132, 0x11127}, Pair{0x11347, 0x1133e}, Pair{0x11347, 0x11357},
    Pair{0x114b9, 0x114ba}, Pair{0x114b9, 0x114b0}, Pair{0x114b9, 0x114bd}, Pair{0x115b8, 0x115af},
    Pair{0x115b9, 0x115af}, Pair{0x11935, 0x11930}};

// Of valid UTF-8 only: check_path has looked at it.
std::u32string decoded(const std::string& path) {
  std::u32string out;
  for (std::size_t i = 0; i < path.size();) {
    const auto first = static_cast<unsigned char>(path[i]);
    const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t point = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t k = 1; k < length && i + k < path.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(path[i + k]) & 0x3fU);
    }
    out += point;
    i += length;
  }
  return out;
}

locale_t unicode_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (locale == nullptr) throw fault::Error(fault::Code::internal, "locale", "the C.UTF-8 locale is missing");
  return locale;
}

// Simple case folding by upper and lower case brings together sigma and final sigma, k and the Kelvin sign.
char32_t fold(char32_t point) {
  return static_cast<char32_t>(
      ::towlower_l(::towupper_l(static_cast<wint_t>(point), unicode_locale()), unicode_locale()));
}

// Marks that hang on the same letter may be written in any order.
bool is_mark(char32_t point) {
  const locale_t before = ::uselocale(unicode_locale());
  const int width = ::wcwidth(static_cast<wchar_t>(point));
  ::uselocale(before);
  return width == 0;
}

void append(std::string& out, char32_t point) {
  for (int shift = 16; shift >= 0; shift -= 8) out += static_cast<char>(point >> shift & 0xffU);
}

}  // namespace

std::string folded(const std::string& path) {
  const bool ascii = std::all_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::string out;
  if (ascii) {
    for (const char c : path) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
  }
  std::u32string points;
  for (const char32_t point : decoded(path)) {
    const char32_t low = fold(point);
    if (low == 0xdf) {
      points += U"ss";  // the one full folding that occurs in names
    } else {
      points += low;
    }
  }
  for (auto at = points.begin(); at != points.end();) {
    const auto end = std::find_if_not(at, points.end(), [](char32_t p) { return p >= 0x80 && is_mark(p); });
    std::sort(at, end);
    at = end == points.end() ? end : end + 1;
  }
  const bool now_ascii = std::all_of(points.begin(), points.end(), [](char32_t p) { return p < 0x80; });
  if (now_ascii) return {points.begin(), points.end()};
  out += '\0';  // three bytes for each character from here on: never equal to a plain name
  for (const char32_t point : points) append(out, point);
  return out;
}

bool is_composed(const std::string& path) {
  char32_t before = 0;
  for (const char32_t point : decoded(path)) {
    for (const Range& range : kNotComposed) {
      if (point >= range.first && point <= range.last) return false;
    }
    for (const Pair& pair : kComposes) {
      if (point == pair.mark && before == pair.base) return false;
    }
    before = point;
  }
  return true;
}

void check_path(const std::string& path, const Codes& codes) {
  const auto fail = [&](const std::string& what) {
    throw fault::Error(codes.code, "path", fmt::format("{} in the name {}", what, canon::printable(path, 200)),
                       codes.name);
  };
  if (path.empty()) fail("nothing");
  if (path.size() > kMaxPath) fail("more than 4,096 bytes");
  if (path.front() == '/') fail("a leading `/`");
  if (path.find('\\') != std::string::npos) fail("a backslash");
  if (canon::printable(path, kMaxPath + 1) != path) fail("a control, invisible or invalid character");
  std::size_t parts = 0;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find('/', from), path.size());
    const std::string_view part = std::string_view(path).substr(from, to - from);
    if (part.empty()) fail("an empty part");
    if (part == "." || part == "..") fail(fmt::format("the part `{}`", part));
    if (part.size() > kMaxPart) fail("a part of more than 255 bytes");
    if (++parts > kMaxParts) fail("more than 128 parts");
    from = to + 1;
  }
  if (!is_composed(path)) fail("a character that is not in composed form (NFC)");
}

void NameSet::fail(const char* reason, const std::string& what, const std::string& path) const {
  throw fault::Error(codes_.code, reason, fmt::format("{}: {}", canon::printable(path, 200), what), codes_.name);
}

void NameSet::insert(std::string key, const std::string& path, Kind kind) {
  bytes_ += key.size() + path.size();
  if (bytes_ > kMaxNameBytes) fail("size", "the names of the archive take more than 64 MiB", path);
  known_.emplace(std::move(key), Known{path, kind});
}

void NameSet::add_parents(const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    std::string key = folded(parent);
    const auto found = known_.find(key);
    if (found == known_.end()) {
      insert(std::move(key), parent, Kind::implied);
    } else if (found->second.kind == Kind::file) {
      fail("collision", "lies in what is a file before it", path);
    } else if (found->second.path != parent) {
      fail("collision", fmt::format("falls together with {}", canon::printable(found->second.path, 200)), path);
    }
  }
}

void NameSet::add(const std::string& path, Type type) {
  add_parents(path);
  const Kind kind = type == Type::file ? Kind::file : Kind::folder;
  std::string key = folded(path);
  const auto found = known_.find(key);
  if (found == known_.end()) return insert(std::move(key), path, kind);
  if (found->second.path != path) {
    fail("collision", fmt::format("falls together with {}", canon::printable(found->second.path, 200)), path);
  }
  if (found->second.kind != Kind::implied) fail("duplicate", "stands in the archive twice", path);
  if (kind == Kind::file) fail("collision", "is a file, but other members lie in it", path);
  found->second.kind = kind;
}

}  // namespace stella::archive
