// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "appliance/markup/html.hpp"

namespace stella::markup {
namespace {

TEST(Html, EscapesTextWhereverItStands) {
  const std::string hostile = "<script>alert(1)</script>\"'&";
  EXPECT_EQ(element("p", {{"title", hostile}}, hostile).bytes(),
            "<p title=\"&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\">"
            "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;</p>");
}

TEST(Html, WritesOutWhatCannotBeSeen) {
  EXPECT_EQ(Html("a\x1b[31mb\n\tc").bytes(), "a\\x1b[31mb\n\tc");
  EXPECT_EQ(Html("a\u202Eb").bytes().find("\u202E"), std::string::npos);
  EXPECT_EQ(Html(std::string("\xff<")).bytes(), "\\xff&lt;");
  EXPECT_EQ(Html("grün ✓").bytes(), "grün ✓");
}

TEST(Html, NestsElementsAndLeavesVoidOnesOpen) {
  EXPECT_EQ(element("ul", {}, element("li", {}, "a"), element("li", {}, element("br"))).bytes(),
            "<ul><li>a</li><li><br></li></ul>");
  EXPECT_EQ(
      element("input", {Attribute::flag("hidden", false), Attribute::flag("required", true), {"size", 3}}).bytes(),
      "<input required=\"\" size=\"3\">");
}

TEST(Html, LeavesOutAnAddressThatLeavesTheOrigin) {
  for (const char* address : {"javascript:alert(1)", "//evil.example/", "https://evil.example", "/\\evil.example",
                              "\tjavascript:a", "/\n/evil.example", "data:text/html,x", "", "relative", "/a\t"}) {
    EXPECT_EQ(element("a", {{"href", address}}, "x").bytes(), "<a>x</a>") << address;
    EXPECT_EQ(element("form", {{"action", address}}, "x").bytes(), "<form>x</form>") << address;
  }
  for (const char* address : {"/console", "/", "?step=a", "#L1"})
    EXPECT_EQ(element("a", {{"href", address}}, "x").bytes(), std::string("<a href=\"") + address + "\">x</a>");
}

TEST(Html, HasAScriptOnlyAsAFileOfItsOwn) {
  EXPECT_EQ(element("script", {}, "alert(1)").bytes(), "");
  EXPECT_EQ(element("script", {{"src", "https://evil.example/x.js"}}, "alert(1)").bytes(), "");
  EXPECT_EQ(element("script", {{"src", "/x.js"}}, "alert(1)").bytes(), "<script src=\"/x.js\"></script>");
}

TEST(Html, EscapesAPartOfAnAddress) {
  EXPECT_EQ(url_part("run:a/b?c#d e\"ü"), "run%3Aa%2Fb%3Fc%23d%20e%22%C3%BC");
}

}  // namespace
}  // namespace stella::markup
