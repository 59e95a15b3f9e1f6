// SPDX-License-Identifier: Apache-2.0
// The parts that need no kernel: reading packets and questions, the book of attempts, choosing users, naming causes.
#include <gtest/gtest.h>

#include <cerrno>

#include "appliance/sandbox/attempts.hpp"
#include "appliance/sandbox/diagnosis.hpp"
#include "appliance/sandbox/dns.hpp"
#include "appliance/sandbox/identity.hpp"
#include "appliance/sandbox/names.hpp"
#include "appliance/sandbox/witness.hpp"

namespace stella::sandbox {
namespace {

using Bytes = std::vector<std::uint8_t>;
using namespace std::chrono_literals;

Bytes question_for(const Bytes& name, std::uint8_t type) {
  Bytes message = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  message.insert(message.end(), name.begin(), name.end());
  for (const std::uint8_t byte : {0, 0, static_cast<int>(type), 0, 1}) message.push_back(byte);
  return message;
}

TEST(Question, IsReadInLowerCaseAndForeignBytesAreEscaped) {
  const auto plain = read_question(question_for({4, 'E', 'v', 'i', 'l', 3, 'c', 'o', 'm'}, 1));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->name, "evil.com");
  EXPECT_EQ(plain->type, QuestionType::a);
  const auto foreign = read_question(question_for({4, 'a', '\n', '.', 0x1b}, 28));
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->name, "a\\010\\046\\027");
}

TEST(Question, OfAnyCutLengthIsRefusedWithoutReadingOn) {
  const Bytes whole = question_for({4, 'e', 'v', 'i', 'l', 3, 'c', 'o', 'm'}, 1);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_question({whole.data(), size})) << size;
  }
}

TEST(Question, ThatIsAnAnswerACompressedNameOrTwoQuestionsIsIgnored) {
  Bytes answer = question_for({1, 'a'}, 1);
  answer[2] |= 0x80;
  EXPECT_FALSE(read_question(answer));
  EXPECT_FALSE(read_question(question_for({0xc0, 0x0c}, 1)));
  Bytes two = question_for({1, 'a'}, 1);
  two[5] = 2;
  EXPECT_FALSE(read_question(two));
  EXPECT_FALSE(read_question(question_for(Bytes(250, 1), 1)) && read_question(question_for(Bytes(300, 1), 1)));
}

TEST(Question, ForAReversedAddressIsUnderstood) {
  EXPECT_EQ(reversed_address("4.3.2.1.in-addr.arpa"), "1.2.3.4");
  EXPECT_EQ(reversed_address("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
            "2001:db8::1");
  EXPECT_FALSE(reversed_address("x.3.2.1.in-addr.arpa"));
  EXPECT_FALSE(reversed_address("in-addr.arpa"));
}

Spec policy() {
  Spec spec;
  spec.allowed = {
      {"Historian.example", "10.1.2.3", 443}, {"v6.example", "2001:db8::5", 80}, {"odd.example", "198.18.0.1", 1}};
  spec.undeclared = {{"other.example", "10.9.9.9", 22}};
  return spec;
}

Question ask(const std::string& name, QuestionType type) {
  return {1, 0x0100, name, type, 12};
}

TEST(Names, AllowedOnesAreTheirPinnedAddressesOnly) {
  Names names(policy());
  const auto found = names.find(ask("historian.example", QuestionType::a));
  EXPECT_EQ(found.kind, Names::Kind::allowed);
  EXPECT_EQ(found.answer.addresses, std::vector<std::string>{"10.1.2.3"});
  EXPECT_TRUE(names.is_allowed("10.1.2.3", 443));
  EXPECT_FALSE(names.is_allowed("10.1.2.3", 80));
}

TEST(Names, EachUnlistedOneHasASinkOfItsOwnThatIsNoAddressOfThePolicy) {
  Names names(policy());
  const auto first = names.find(ask("evil.example", QuestionType::a)).answer.addresses;
  ASSERT_EQ(first.size(), 2U);
  EXPECT_NE(first[0], "198.18.0.1");
  EXPECT_EQ(names.find(ask("evil.example", QuestionType::aaaa)).answer.addresses, first);
  EXPECT_NE(names.find(ask("evil2.example", QuestionType::a)).answer.addresses, first);
  EXPECT_EQ(names.host_of(first[0]), "evil.example");
  EXPECT_EQ(names.host_of(first[1]), "evil.example");
  EXPECT_EQ(names.host_of("10.9.9.9"), "other.example");
}

TEST(Names, RunOutInsteadOfGrowingForEver) {
  Names names(policy());
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    refused += names.find(ask("n" + std::to_string(i), QuestionType::a)).kind == Names::Kind::exhausted ? 1 : 0;
  }
  EXPECT_EQ(refused, 5000 - 4096);
}

Bytes ipv4(std::uint8_t protocol, const Bytes& body, unsigned fragment = 0) {
  Bytes packet = {0x45,
                  0,
                  0,
                  0,
                  0,
                  0,
                  static_cast<std::uint8_t>(fragment >> 8),
                  static_cast<std::uint8_t>(fragment),
                  64,
                  protocol,
                  0,
                  0,
                  8,
                  8,
                  8,
                  8,
                  8,
                  8,
                  4,
                  4};
  packet.insert(packet.end(), body.begin(), body.end());
  return packet;
}
Bytes tcp(std::uint8_t flags) {
  return {0x80, 0, 1, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0};
}

TEST(Witness, ReadsTheOpeningOfAConnectionAndNothingElseOfTcp) {
  const auto opening = read_packet(ipv4(6, tcp(0x02)));
  ASSERT_TRUE(opening);
  EXPECT_EQ(opening->protocol, "tcp");
  EXPECT_EQ(opening->destination, "8.8.4.4");
  EXPECT_EQ(opening->port, 443);
  EXPECT_FALSE(read_packet(ipv4(6, tcp(0x12))));
  EXPECT_FALSE(read_packet(ipv4(6, tcp(0x10))));
}

TEST(Witness, ReadsEchoRequestsNotTheErrorsThatAnswerOthers) {
  EXPECT_EQ(read_packet(ipv4(1, {8, 0, 0, 0}))->protocol, "icmp");
  EXPECT_FALSE(read_packet(ipv4(1, {3, 3, 0, 0})));
  EXPECT_EQ(read_packet(ipv4(47, {}))->protocol, "other");
  EXPECT_FALSE(read_packet(ipv4(17, {0, 0, 0, 53}, 5)));
}

TEST(Witness, LooksBehindExtensionHeadersOfIpv6) {
  Bytes packet(40, 0);
  packet[0] = 0x60;
  packet[6] = 43;  // a routing header, which an ordinary user may add
  packet[24] = 0x20;
  packet[39] = 1;
  for (const std::uint8_t byte : {17, 0, 0, 0, 0, 0, 0, 0}) packet.push_back(byte);
  for (const std::uint8_t byte : {0x30, 0x39, 0, 53, 0, 8, 0, 0}) packet.push_back(byte);
  const auto read = read_packet(packet);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->protocol, "udp");
  EXPECT_EQ(read->destination, "2000::1");
  EXPECT_EQ(read->port, 53);
  for (std::size_t size = 0; size < packet.size(); ++size) (void)read_packet({packet.data(), size});
}

TEST(Witness, UnwrapsIpv4InIpv6) {
  EXPECT_EQ(normal_address("::ffff:1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(normal_address("2001:DB8:0::1"), "2001:db8::1");
  EXPECT_FALSE(normal_address("host.example"));
}

std::string curl() {
  return "curl";
}

TEST(Attempts, AQuestionBecomesPartOfTheConnectionThatFollowsIt) {
  Attempts book;
  const Instant now{};
  book.question("evil.example", true, now, curl);
  EXPECT_TRUE(book.take_new(now).empty());
  book.connection("tcp", "evil.example", "", 443, [] { return std::string("wrong"); });
  book.connection("tcp", "evil.example", "", 443, curl);
  book.close();
  ASSERT_EQ(book.all().size(), 1U);
  EXPECT_EQ(book.all()[0].protocol, "tcp");
  EXPECT_EQ(book.all()[0].program, "curl");
  EXPECT_EQ(book.all()[0].count, 2U);
}

TEST(Attempts, AQuestionAloneStandsForItselfAfterASecond) {
  Attempts book;
  const Instant now{};
  book.question("evil.example", true, now, curl);
  EXPECT_TRUE(book.take_new(now + 500ms).empty());
  ASSERT_EQ(book.take_new(now + 1100ms).size(), 1U);
  EXPECT_TRUE(book.take_new(now + 1200ms).empty());
  EXPECT_EQ(book.all()[0].protocol, "dns");
}

TEST(Attempts, AQuestionThatOnlyIsNotedIsNoAttempt) {
  Attempts book;
  book.question("evil.example", false, Instant{}, curl);
  book.close();
  EXPECT_FALSE(book.any());
}

TEST(Attempts, AreBoundedAndTheRestIsCounted) {
  Attempts book;
  for (int port = 1; port <= 3000; ++port) book.connection("tcp", "", "8.8.8.8", port, curl);
  EXPECT_EQ(book.all().size(), 1000U);
  EXPECT_EQ(book.unnamed(), 2000U);
}

TEST(Attempts, TheStepsOwnTextIsMadePrintable) {
  Attempts book;
  book.connection("tcp", "", "8.8.8.8", 1, [] { return std::string("a\x1b[2J\n"); });
  EXPECT_EQ(book.all()[0].program.find('\x1b'), std::string::npos);
  EXPECT_EQ(book.all()[0].program.find('\n'), std::string::npos);
}

AccountTexts accounts() {
  return {.uid_map = "         0          0 4294967295\n",
          .gid_map = "         0          0 4294967295\n",
          .passwd = "root:x:0:0::/root:/bin/sh\n",
          .group = "root:x:0:\n",
          .subuid = "",
          .subgid = ""};
}

TEST(Identity, TakesABlockThatNobodyOwns) {
  auto texts = accounts();
  const auto free = find_block(texts);
  ASSERT_TRUE(free);
  texts.subuid = "ana:" + std::to_string(*free + 1000) + ":65536\n";
  const auto next = find_block(texts);
  ASSERT_TRUE(next);
  EXPECT_GE(*next, *free + kBlockSize);
  texts.passwd += "odd:x:" + std::to_string(*next + 7) + ":1::/:/bin/sh\n";
  EXPECT_GT(find_block(texts), next);
}

TEST(Identity, FindsNoneWhereTheMapIsSmall) {
  auto texts = accounts();
  texts.uid_map = "0 100000 65536\n";
  EXPECT_FALSE(find_block(texts));
}

TEST(Diagnosis, NamesTheSwitchAndItsRemedy) {
  const Switches off{.max_user_namespaces = "0", .userns_clone = "0", .apparmor_restricts = "1", .seccomp_mode = "2"};
  EXPECT_EQ(explain(Stage::clone, ENOSPC, off).reason, "max-user-namespaces");
  EXPECT_NE(explain(Stage::clone, ENOSPC, off).fix.find("sysctl -w user.max_user_namespaces"), std::string::npos);
  Switches some = off;
  some.max_user_namespaces = "1000";
  EXPECT_EQ(explain(Stage::clone, EPERM, some).reason, "unprivileged-userns-clone");
  some.userns_clone = "";
  EXPECT_EQ(explain(Stage::clone, EPERM, some).reason, "seccomp");
  EXPECT_EQ(explain(Stage::maps, EACCES, some).reason, "apparmor");
  EXPECT_EQ(explain(Stage::proc, EPERM, {}).reason, "proc");
  EXPECT_EQ(explain(Stage::clone, ENOSYS, {}).reason, "kernel");
}

}  // namespace
}  // namespace stella::sandbox
