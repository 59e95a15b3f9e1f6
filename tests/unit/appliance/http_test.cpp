// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "appliance/http/address.hpp"
#include "appliance/http/message.hpp"
#include "appliance/http/target.hpp"
#include "bundles/fault/error.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::http {
namespace {

std::string reason_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return error.reason();
  }
  return "nothing was thrown";
}

TEST(Target, DecodesSegmentsAndQuery) {
  const Target target = parse_target("/api/runs/run%3Aplant-7%3a20261123T165433120Z?state=waiting&q=a+b%26c&empty");
  const std::vector<std::string> segments = {"api", "runs", "run:plant-7:20261123T165433120Z"};
  EXPECT_EQ(target.segments, segments);
  EXPECT_EQ(find_pair(target.query, "q"), "a b&c");
  EXPECT_EQ(find_pair(target.query, "empty"), "");
  EXPECT_EQ(find_pair(target.query, "other"), std::nullopt);
  EXPECT_TRUE(parse_target("/").segments.empty());
}

TEST(Target, RefusesWhatIsNotPlainlyWellFormed) {
  const std::string bad[] = {"",
                             "api",
                             "http://h/x",
                             "/a//b",
                             "/a/",
                             "/a/../b",
                             "/a/%2e%2e/b",
                             "/a/%2E",
                             "/a%2fb",
                             "/a%5cb",
                             "/a%",
                             "/a%4",
                             "/a%zz",
                             "/a%00",
                             "/a%0a",
                             "/%ff",
                             "/%c0%af",
                             "/a b",
                             "/a\x01",
                             "/\xc3\xa9",
                             "/a#b",
                             "/a?x=%ff",
                             "/a?x=%00",
                             "/a?x=%0d%0a",
                             "/a?x=%",
                             "/%ed%a0%80",
                             "/" + std::string(kMaxTarget, 'a')};
  for (const std::string& text : bad) EXPECT_EQ(reason_of([&] { (void)parse_target(text); }), "target") << text;
  std::string many = "/a?";
  for (std::size_t i = 0; i <= kMaxPairs; ++i) many += "x=1&";
  EXPECT_EQ(reason_of([&] { (void)parse_target(many); }), "target");
}

TEST(Target, RefusesANameThatComesTwice) {
  const Target target = parse_target("/a?x=1&x=2");
  EXPECT_EQ(reason_of([&] { (void)find_pair(target.query, "x"); }), "twice");
}

TEST(Target, EscapesWhatItDecodes) {
  const std::string text = "run:a/b c\xc3\xa9%~";
  EXPECT_EQ(escape_segment(text), "run%3Aa%2Fb%20c%C3%A9%25~");
  EXPECT_EQ(find_pair(parse_target("/a?x=" + escape_segment(text)).query, "x"), text);
}

TEST(Form, ReadsFieldsAndRefusesBadOnes) {
  EXPECT_EQ(find_pair(parse_form("token=a%20b&next=%2Fconsole"), "next"), "/console");
  EXPECT_TRUE(parse_form("").empty());
  EXPECT_EQ(reason_of([] { (void)parse_form("a=%"); }), "form");
  EXPECT_EQ(reason_of([] { (void)parse_form("a=%ff"); }), "form");
}

TEST(Form, ReadsAnUploadedFile) {
  const std::string body =
      "--B\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\nabc\r\n"
      "--B\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name=\"response\"; "
      "filename=\"RES-x.json\"\r\n\r\n{\"a\":\r\n1}\r\n--B--\r\n";
  const auto parts = parse_multipart("multipart/form-data; boundary=B", body);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].bytes, "abc");
  EXPECT_EQ(parts[1].name, "response");
  EXPECT_EQ(parts[1].file_name, "RES-x.json");
  EXPECT_EQ(parts[1].bytes, "{\"a\":\r\n1}");
}

TEST(Form, RefusesAFormWithFilesThatIsCutOrMadeUp) {
  const std::string type = "multipart/form-data; boundary=B";
  const std::string head = "Content-Disposition: form-data; name=\"x\"\r\n\r\n";
  const std::string bad[] = {"",
                             "--B",
                             "--B\r\n",
                             "--C\r\n" + head + "a\r\n--C--",
                             "--B\r\n" + head + "a",
                             "--B\r\n" + head + "a\r\n--B",
                             "--B\r\nContent-Disposition: form-data\r\n\r\na\r\n--B--",
                             "--B\r\nContent-Disposition: form-data; name=\"x\r\n\r\na\r\n--B--",
                             "--B\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\na\r\n--B--",
                             "--B\r\nnonsense\r\n\r\na\r\n--B--"};
  for (const std::string& body : bad) EXPECT_EQ(reason_of([&] { (void)parse_multipart(type, body); }), "form") << body;
  EXPECT_EQ(reason_of([&] { (void)parse_multipart("multipart/form-data", "--B--"); }), "form");
  std::string many;
  for (std::size_t i = 0; i <= kMaxParts; ++i) many += "--B\r\n" + head + "a\r\n";
  EXPECT_EQ(reason_of([&] { (void)parse_multipart(type, many + "--B--"); }), "form");
}

TEST(Cookie, IsFoundWhenItComesOnce) {
  EXPECT_EQ(find_cookie("a=1; stella-session-80=x.y; b=2", "stella-session-80"), "x.y");
  EXPECT_EQ(find_cookie("s=1; s=2", "s"), std::nullopt);
  EXPECT_EQ(find_cookie("nonsense; s=1", "s"), std::nullopt);
  EXPECT_EQ(find_cookie("", "s"), std::nullopt);
}

TEST(Address, TakesLoopbackAndUnixSocketsOnly) {
  EXPECT_EQ(name_of(parse_address("localhost:8080")), "http://127.0.0.1:8080");
  EXPECT_EQ(name_of(parse_address("[::1]:1")), "http://[::1]:1");
  EXPECT_EQ(name_of(parse_address("unix:/run/x")), "unix:/run/x");
  for (const char* bad : {"", "8080", ":8080", "0.0.0.0:80", "127.0.0.2:80", "10.1.2.3:80", "[::]:80", "example.org:80",
                          "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "unix:"})
    EXPECT_EQ(reason_of([&] { (void)parse_address(bad); }), "listen") << bad;
}

TEST(Address, IsRefusedWhenTaken) {
  const Listener first = listen_on(parse_address("127.0.0.1:0"));
  EXPECT_GT(first.address.port, 0);
  EXPECT_EQ(reason_of([&] { (void)listen_on(first.address); }), "address");
  tests::TemporaryFolder folder;
  const Address path = parse_address("unix:" + (folder / "s"));
  {
    const Listener living = listen_on(path);
    EXPECT_EQ(reason_of([&] { (void)listen_on(path); }), "address");
  }
  EXPECT_GE(listen_on(path).fd.get(), 0);  // what a dead server left is replaced
}

TEST(Guards, HoldNoInlineCodeAndNoOtherOrigin) {
  const std::string policy = find_pair(guards(), "Content-Security-Policy").value();
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find("http"), std::string::npos);
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace stella::http
