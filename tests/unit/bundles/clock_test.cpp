// SPDX-License-Identifier: Apache-2.0
#include "bundles/clock/time.hpp"

#include <gtest/gtest.h>

using namespace stella;
using fault::Code;

TEST(Time, ReadsWhatItWrites) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2026-11-23T16:54:33Z", "2024-02-29T23:59:59Z", "9999-12-31T00:00:00Z"}) {
    EXPECT_EQ(clock::format(clock::parse_time(text, Code::usage, "t")), text);
  }
  EXPECT_EQ(clock::format_millis(clock::parse_time("2026-11-23T16:54:33.5Z", Code::usage, "t")),
            "2026-11-23T16:54:33.500Z");
  EXPECT_EQ(clock::format_compact(clock::parse_time("2026-11-23T16:54:33.007Z", Code::usage, "t")),
            "20261123T165433007Z");
}

TEST(Time, RefusesEverythingThatIsNotUtcToTheSecond) {
  for (const char* text : {"", "2026-11-23", "2026-11-23T16:54:33", "2026-11-23T16:54:33+00:00", "2026-02-30T00:00:00Z",
                           "2026-11-23T24:00:00Z", "2026-11-23 16:54:33Z", "2026-11-23T16:54:33.Z",
                           "2026-11-23T16:54:33.1234Z", "-026-11-23T16:54:33Z", "1969-12-31T23:59:59Z"}) {
    EXPECT_THROW((void)clock::parse_time(text, Code::usage, "t"), fault::Error) << text;
  }
}

TEST(Duration, ReadsIsoAndShortForms) {
  using namespace std::chrono_literals;
  EXPECT_EQ(clock::parse_duration("PT30M", Code::usage, "t"), 30min);
  EXPECT_EQ(clock::parse_duration("PT1H30M", Code::usage, "t"), 90min);
  EXPECT_EQ(clock::parse_duration("P30D", Code::usage, "t"), 720h);
  EXPECT_EQ(clock::parse_duration("P1Y", Code::usage, "t"), 8760h);
  EXPECT_EQ(clock::parse_duration("30s", Code::usage, "t"), 30s);
  EXPECT_EQ(clock::parse_duration("250ms", Code::usage, "t"), 250ms);
  EXPECT_EQ(clock::parse_duration("PT0S", Code::usage, "t"), 0s);
}

TEST(Duration, RefusesWhatIsAmbiguousOrEndless) {
  for (const char* text :
       {"", "P", "PT", "30", "M30", "P1M", "PT1M1H", "1h30m", "-30s", "P999Y", "PT1.5H", "30 s", "ms"}) {
    EXPECT_THROW((void)clock::parse_duration(text, Code::usage, "t"), fault::Error) << text;
  }
}
