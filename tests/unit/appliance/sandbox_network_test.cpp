// SPDX-License-Identifier: Apache-2.0
// The wall: what a step may reach, what it may not, and that every attempt is named.
#include <gtest/gtest.h>

#include "tests/unit/appliance/sandbox_bench.hpp"
#include "tests/unit/appliance/sandbox_server.hpp"

namespace stella::sandbox {
namespace {

constexpr const char* kConnect =
    "import socket,sys\n"
    "try:\n"
    "  s=socket.create_connection((sys.argv[1],int(sys.argv[2])),5); s.sendall(b'ping'); print(s.recv(9).decode())\n"
    "except OSError as e: print(type(e).__name__)\n";

Outcome connect_to(Site& site, Spec spec, const std::string& host, int port) {
  spec.argv = {"python3", "-c", kConnect, host, std::to_string(port)};
  return site.run(spec);
}

#define NEEDS(program) \
  if (!has_program(program)) GTEST_SKIP() << program << " is not installed"

TEST(Network, ReachesAnAllowedHostByNameAndByItsPinnedAddress) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10");
  Spec spec = site.spec({});
  spec.allowed = {{"historian.example", "127.77.0.10", server.port()}};
  EXPECT_EQ(connect_to(site, spec, "historian.example", server.port()).out, "pong\n");
  const Outcome seen = connect_to(site, spec, "127.77.0.10", server.port());
  EXPECT_EQ(seen.out, "pong\n");
  EXPECT_TRUE(seen.result.blocked.empty());
  ASSERT_EQ(seen.result.relayed.size(), 1U);
  EXPECT_EQ(seen.result.relayed[0].connections, 1U);
  EXPECT_EQ(seen.result.relayed[0].bytes_out, 4U);
  EXPECT_EQ(seen.result.relayed[0].bytes_in, 4U);
}

TEST(Network, BlocksAndNamesAnotherPortOfAnAllowedHost) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10"), other("127.77.0.10");
  Spec spec = site.spec({});
  spec.allowed = {{"historian.example", "127.77.0.10", server.port()}, {"far.example", "10.1.2.3", 443}};
  const Outcome near = connect_to(site, spec, "historian.example", other.port());
  EXPECT_EQ(near.out, "ConnectionRefusedError\n");
  EXPECT_NE(near.find("tcp", "historian.example", other.port()), nullptr);
  EXPECT_NE(connect_to(site, spec, "far.example", 80).find("tcp", "far.example", 80), nullptr);
}

TEST(Network, BlocksAnUnlistedNameAndNamesHostPortAndProgram) {
  NEEDS("python3");
  Site site;
  const Outcome seen = connect_to(site, site.spec({}), "evil.example", 8443);
  EXPECT_EQ(seen.out, "ConnectionRefusedError\n");
  const Blocked* attempt = seen.find("tcp", "evil.example", 8443);
  ASSERT_NE(attempt, nullptr);
  EXPECT_EQ(attempt->program, "python3");
  EXPECT_EQ(seen.result.blocked.size(), 1U) << "the question is part of the connection";
  EXPECT_FALSE(seen.told.empty());
  EXPECT_LT(seen.result.elapsed, std::chrono::seconds(5));
}

class Literal : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};
TEST_P(Literal, IsBlockedAndNamedUnwrapped) {
  NEEDS("python3");
  Site site;
  const auto& [written, named] = GetParam();
  const Outcome seen = connect_to(site, site.spec({}), written, 81);
  EXPECT_EQ(seen.out, "ConnectionRefusedError\n");
  EXPECT_NE(seen.find("tcp", named, 81), nullptr);
}
INSTANTIATE_TEST_SUITE_P(Addresses, Literal,
                         ::testing::Values(std::pair{"93.184.216.34", "93.184.216.34"},
                                           std::pair{"10.0.0.1", "10.0.0.1"},
                                           std::pair{"169.254.169.254", "169.254.169.254"},
                                           std::pair{"2606:4700::1111", "2606:4700::1111"},
                                           std::pair{"::ffff:1.2.3.4", "1.2.3.4"}, std::pair{"fe80::1%lo", "fe80::1"}));

TEST(Network, BlocksEveryUsualClientByName) {
  Site site;
  const std::vector<std::pair<std::string, std::string>> clients = {
      {"curl", "curl -sS -m5 http://x.example:82/"},
      {"wget", "wget -q -O- -t1 -T5 http://x.example:82/"},
      {"perl", "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(\"x.example:82\") or die'"},
      {"bash", "echo > /dev/tcp/x.example/82"},
      {"node", "node -e 'require(\"net\").connect(82,\"x.example\").on(\"error\",()=>process.exit(1))'"},
      {"ssh", "ssh -o BatchMode=yes -p 82 x.example true"}};
  for (const auto& [program, command] : clients) {
    if (!has_program(program)) continue;
    const Outcome seen = site.shell(command + " || true");  // the error is swallowed: the attempt is not
    EXPECT_EQ(seen.result.status, 0) << program;
    EXPECT_NE(seen.find("tcp", "x.example", 82), nullptr) << program << ": " << seen.err;
  }
}

TEST(Network, NamesALookupThatNoConnectionFollows) {
  Site site;
  const Outcome seen = site.shell("getent hosts lonely.example >/dev/null");
  ASSERT_NE(seen.find("dns", "lonely.example", 0), nullptr);
  EXPECT_EQ(seen.find("dns", "lonely.example", 0)->program, "getent");
  Spec noted = site.spec({"getent", "hosts", "lonely.example"});
  noted.dns_block = false;
  EXPECT_TRUE(site.run(noted).result.blocked.empty());
}

TEST(Network, NamesDatagramsHoweverTheyAreSent) {
  NEEDS("python3");
  Site site;
  const Outcome seen = site.run({"python3", "-c",
                                 "import socket\n"
                                 "def u(f=socket.AF_INET): return socket.socket(f,socket.SOCK_DGRAM)\n"
                                 "u().sendto(b'x',('8.8.8.8',53))\n"
                                 "s=u(); s.connect(('8.8.8.8',54)); s.send(b'x')\n"
                                 "u().sendmsg([b'x'],[],0,('8.8.8.8',55))\n"
                                 "u(socket.AF_INET6).sendto(b'x',('2001:4860:4860::8888',56))\n"
                                 "u().sendto(b'x'*60000,('8.8.8.8',57))\n"
                                 "u().sendto(b'x',('239.1.1.1',58))\n"});
  EXPECT_EQ(seen.result.status, 0) << seen.err;
  for (int port = 53; port <= 58; ++port) {
    const std::string where = port == 56 ? "2001:4860:4860::8888" : port == 58 ? "239.1.1.1" : "8.8.8.8";
    EXPECT_NE(seen.find("udp", where, port), nullptr) << port;
  }
}

TEST(Network, NamesAPingAndDoesNotAnswerIt) {
  NEEDS("python3");
  Site site;
  const Outcome seen = site.run({"python3", "-c",
                                 "import socket\n"
                                 "for f,p,a,t in ((2,1,'9.9.9.9',8),(10,58,'2620:fe::fe',128)):\n"
                                 "  s=socket.socket(f,socket.SOCK_DGRAM,p); s.settimeout(0.3)\n"
                                 "  s.sendto(bytes([t,0,0,0,0,1,0,1])+b'abcdefgh',(a,0))\n"
                                 "  try: s.recv(99); print('answered')\n"
                                 "  except OSError: print('silent')\n"});
  EXPECT_EQ(seen.out, "silent\nsilent\n") << seen.err;
  EXPECT_NE(seen.find("icmp", "9.9.9.9", 0), nullptr);
  EXPECT_NE(seen.find("icmp", "2620:fe::fe", 0), nullptr);
}

TEST(Network, FailsANonBlockingConnectionAtOnceAndSeesFastOpen) {
  NEEDS("python3");
  Site site;
  const Outcome seen = site.run(
      {"python3", "-c",
       "import socket,select,errno,threading\n"
       "s=socket.socket(); s.setblocking(False); e=s.connect_ex(('8.8.8.8',83))\n"
       "p=select.poll(); p.register(s,select.POLLOUT); p.poll(2000)\n"
       "print(errno.errorcode.get(e if e!=errno.EINPROGRESS else s.getsockopt(1,4)))\n"
       "try: socket.socket().sendto(b'x',0x20000000,('8.8.8.8',84))\n"
       "except OSError: pass\n"
       "t=threading.Thread(target=lambda: socket.socket().connect_ex(('8.8.8.8',85))); t.start(); t.join()\n"});
  EXPECT_EQ(seen.out, "ECONNREFUSED\n") << seen.err;
  for (const int port : {83, 84, 85}) EXPECT_NE(seen.find("tcp", "8.8.8.8", port), nullptr) << port;
}

TEST(Network, BoundsTheBookOfAStepThatTriesForEver) {
  NEEDS("python3");
  Site site;
  const Outcome seen = site.run({"python3", "-c",
                                 "import socket\n"
                                 "for i in range(10000):\n"
                                 "  s=socket.socket(); s.connect_ex(('8.8.8.8',1+i%5000)); s.close()\n"});
  EXPECT_EQ(seen.result.status, 0) << seen.err;
  // A busy machine may let the witness miss some, which it counts; the book never grows past its bound either way.
  EXPECT_LE(seen.result.blocked.size(), 1000U);
  EXPECT_GT(seen.result.blocked.size(), 0U);
  EXPECT_GT(seen.result.witness_lost, 0U);
}

TEST(Network, LeavesTheStepItsOwnLoopback) {
  NEEDS("python3");
  Site site;
  const Outcome seen =
      site.run({"python3", "-c",
                "import socket\n"
                "for f,a in ((2,'127.0.0.1'),(2,'127.9.8.7'),(10,'::1')):\n"
                "  l=socket.socket(f); l.bind((a,5000)); l.listen(); c=socket.socket(f); c.connect((a,5000))\n"
                "  u=socket.socket(f,2); u.bind((a,5001)); socket.socket(f,2).sendto(b'x',(a,5001)); u.recv(1)\n"
                "print('ok')\n"});
  EXPECT_EQ(seen.out, "ok\n") << seen.err;
  EXPECT_TRUE(seen.result.blocked.empty());
}

TEST(Network, HidesTheHostsLoopbackAndAbstractSockets) {
  NEEDS("python3");
  Site site;
  Server server("127.0.0.1");
  AbstractSocket host("stella-test-abstract");
  EXPECT_EQ(connect_to(site, site.spec({}), "127.0.0.1", server.port()).out, "ConnectionRefusedError\n");
  const Outcome seen =
      site.run({"python3", "-c", "import socket\ns=socket.socket(1)\nprint(s.connect_ex('\\0stella-test-abstract'))"});
  EXPECT_EQ(seen.out, "111\n");
}

TEST(Network, TellsAnUnreachableDestinationFromABlockedOne) {
  NEEDS("python3");
  Site site;
  Spec spec = site.spec({});
  spec.allowed = {{"down.example", "127.77.0.11", 9}};
  const Outcome seen = connect_to(site, spec, "down.example", 9);
  EXPECT_TRUE(seen.out == "ConnectionResetError\n" || seen.out == "BrokenPipeError\n") << seen.out;
  EXPECT_TRUE(seen.result.blocked.empty());
  ASSERT_EQ(seen.result.relayed.size(), 1U);
  EXPECT_TRUE(seen.result.relayed[0].unreachable);
}

TEST(Network, CarriesBytesUnchangedAndPassesTheEndOfEachDirection) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10", Server::Kind::echo_after_end);
  Spec spec = site.spec({"python3", "-c",
                         "import socket,sys,os\n"
                         "d=os.urandom(8<<20); s=socket.create_connection(('big.example',int(sys.argv[1])))\n"
                         "s.sendall(d); s.shutdown(1); g=b''\n"
                         "while True:\n"
                         "  b=s.recv(1<<20)\n"
                         "  if not b: break\n"
                         "  g+=b\n"
                         "print(g==d)\n",
                         std::to_string(server.port())});
  spec.allowed = {{"big.example", "127.77.0.10", server.port()}};
  const Outcome seen = site.run(spec);
  EXPECT_EQ(seen.out, "True\n") << seen.err;
  EXPECT_EQ(seen.result.relayed[0].bytes_out, std::uint64_t{8} << 20);
}

// A client that says how it fares, and an outage that follows what it says.
constexpr const char* kThroughAnOutage =
    "import errno,socket,sys,time\n"
    "at=(sys.argv[1],int(sys.argv[2]))\n"
    "def ping(s):\n"
    "  try: s.sendall(b'ping'); return s.recv(9).decode() or 'closed'\n"
    "  except OSError as e: return errno.errorcode.get(e.errno,'timeout')\n"
    "def fresh():\n"
    "  try: s=socket.create_connection(at,5)\n"
    "  except OSError as e: return errno.errorcode.get(e.errno,'timeout')\n"
    "  return ping(s)\n"
    "line=socket.create_connection(at,5); print('line',ping(line),flush=True)\n"
    "while ping(line)=='pong': time.sleep(0.01)\n"
    "print('cut',flush=True); print('new',fresh(),flush=True)\n"
    "while fresh()!='pong': time.sleep(0.01)\n"
    "print('back',flush=True)\n";

class Outage : public ::testing::TestWithParam<const char*> {};
TEST_P(Outage, ResetsWhatIsOpenRefusesWhatIsNewAndIsNoBlock) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10");
  Collector collector;
  collector.cut = [](Collector& seen) {
    const bool has_begun = seen.outcome.out.find("line pong") != std::string::npos;
    return has_begun && seen.outcome.out.find("new ") == std::string::npos;
  };
  Spec spec = site.spec({"python3", "-c", kThroughAnOutage, GetParam(), std::to_string(server.port())});
  spec.allowed = {{"historian.example", "127.77.0.10", server.port()}};
  const Result result = run(spec, collector);
  EXPECT_EQ(collector.outcome.out, "line pong\ncut\nnew ECONNREFUSED\nback\n") << collector.outcome.err;
  EXPECT_EQ(result.end, End::exited);
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.blocked.empty());
  EXPECT_EQ(result.witness_lost, 0U);
  ASSERT_EQ(result.relayed.size(), 1U);
  EXPECT_EQ(result.relayed[0].cut, 1U);
  EXPECT_FALSE(result.relayed[0].unreachable);
}
INSTANTIATE_TEST_SUITE_P(ByNameAndAddress, Outage, ::testing::Values("historian.example", "127.77.0.10"));

TEST(Network, StaysClosedToEverythingElseDuringAnOutage) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10"), other("127.77.0.10");
  Collector collector;
  collector.cut = [](Collector&) { return true; };
  Spec spec = site.spec({"python3", "-c", kConnect, "127.77.0.10", std::to_string(other.port())});
  spec.allowed = {{"historian.example", "127.77.0.10", server.port()}};
  const Result result = run(spec, collector);
  ASSERT_EQ(result.blocked.size(), 1U);
  EXPECT_EQ(result.blocked[0].port, other.port());
}

TEST(Network, IsDeadFromTheFirstWhenAnOutageHasBegun) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10");
  Collector collector;
  collector.cut = [](Collector&) { return true; };
  Spec spec = site.spec({"python3", "-c", kConnect, "historian.example", std::to_string(server.port())});
  spec.allowed = {{"historian.example", "127.77.0.10", server.port()}};
  const Result result = run(spec, collector);
  EXPECT_EQ(collector.outcome.out, "ConnectionRefusedError\n");
  EXPECT_TRUE(result.blocked.empty());
  EXPECT_EQ(result.relayed.at(0).connections, 0U);
}

TEST(Network, CapsTheOpenConnectionsOfOneStep) {
  NEEDS("python3");
  Site site;
  Server server("127.77.0.10");
  Spec spec = site.spec({"python3", "-c",
                         "import socket,sys,time\n"
                         "k=[]\n"
                         "for i in range(300):\n"
                         "  s=socket.socket(); s.connect_ex(('127.77.0.10',int(sys.argv[1]))); k.append(s)\n"
                         "time.sleep(0.5)\n",
                         std::to_string(server.port())});
  spec.allowed = {{"many.example", "127.77.0.10", server.port()}};
  const Outcome seen = site.run(spec);
  EXPECT_EQ(seen.result.status, 0) << seen.err;
  EXPECT_EQ(seen.result.relayed[0].connections + seen.result.relayed[0].refused, 300U);
  EXPECT_GE(seen.result.relayed[0].refused, 44U);
}

TEST(Network, EndsAtTheFirstAttemptWhenToldSo) {
  Site site;
  Spec spec = site.spec({"bash", "-c", "echo > /dev/tcp/8.8.8.8/80; sleep 30"});
  spec.fail_fast = true;
  const Outcome seen = site.run(spec);
  EXPECT_EQ(seen.result.end, End::blocked_fast);
  EXPECT_LT(seen.result.elapsed, std::chrono::seconds(10));
}

}  // namespace
}  // namespace stella::sandbox
