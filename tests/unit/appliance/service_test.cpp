// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "appliance/service/bearer.hpp"
#include "appliance/service/order.hpp"
#include "appliance/service/request.hpp"
#include "appliance/service/wire.hpp"
#include "appliance/service/worker.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

struct Pair {
  files::Fd a, b;
};
Pair make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  return {files::Fd(ends[0]), files::Fd(ends[1])};
}

std::string reason_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "taken";
}

const std::string kGood =
    R"({"schema":"stella.service-request.v1","arguments":["pack","plan"],"folder":"/home/ana","term":"xterm-256color","noColour":false})";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kGood;
  return text.replace(text.find(from), from.size(), to);
}

TEST(ServiceRequest, IsReadAsItWasWritten) {
  const Request request{
      .arguments = {"pack", "plan", "--inputs", "-"}, .folder = "/srv", .term = "vt100", .no_colour = true};
  const Request again = parse_request(text_of(request));
  EXPECT_EQ(again.arguments, request.arguments);
  EXPECT_EQ(again.folder, "/srv");
  EXPECT_EQ(again.term, "vt100");
  EXPECT_TRUE(again.no_colour);
}

TEST(ServiceRequest, IsReadStrictly) {
  EXPECT_EQ(reason_of([] { (void)parse_request(kGood); }), "taken");
  const std::string many = "[" + [] {
    std::string all = "\"x\"";
    for (int i = 0; i < 256; ++i) all += ",\"x\"";
    return all;
  }() + "]";
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{"), kGood + "x", changed("v1", "v2"),
        changed("[\"pack\",\"plan\"]", "[]"), changed("[\"pack\",\"plan\"]", "[1]"),
        changed("[\"pack\",\"plan\"]", many), changed("\"pack\"", "\"a\\u0000b\""), changed("/home/ana", "home/ana"),
        changed("/home/ana", "/home\\u0000"), changed("xterm", "x\\n"), changed("false", "0"),
        changed("\"term\"", "\"uid\":0,\"term\""), std::string("\xff\xfe")})
    EXPECT_EQ(reason_of([&] { (void)parse_request(text); }), "ERR_USAGE frame") << text;
}

TEST(ServiceRequest, SignalsAreThree) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) EXPECT_EQ(parse_signal(text_of_signal(number)), number);
  for (const char* text : {R"({"signal":"KILL"})", R"({"signal":9})", "{}", R"({"signal":"INT","pid":1})"})
    EXPECT_EQ(reason_of([&] { (void)parse_signal(text); }), "ERR_USAGE frame") << text;
}

TEST(ServiceRequest, AnswersCarryAStatusOrAnError) {
  const Answer ended = parse_answer(text_of(Answer(Ended{.status = 7, .signal = 0})));
  EXPECT_EQ(std::get<Ended>(ended).status, 7);
  const Error error(Code::access_denied, "unlisted", "bob is nobody", "here", "ask");
  const Answer refused = parse_answer(text_of(Answer(error)));
  EXPECT_EQ(std::get<Error>(refused).code(), Code::access_denied);
  EXPECT_EQ(std::get<Error>(refused).reason(), "unlisted");
  EXPECT_EQ(std::get<Error>(refused).fix(), "ask");
  EXPECT_EQ(std::get<Error>(refused).at(), "here");
  for (const char* text : {"{}", R"({"exit":7})", R"({"exit":-1,"signal":0})", R"({"error":{"code":"ERR_NONE"}})"})
    EXPECT_EQ(reason_of([&] { (void)parse_answer(text); }), "ERR_USAGE frame") << text;
}

TEST(ServiceRequest, WishesNameAbsolutePaths) {
  const Wish wish = parse_wish(
      text_of(Wish{.kind = Wish::Kind::write, .path = "/tmp/x", .below = "a/b", .mode = 0644, .replace = false}));
  EXPECT_EQ(wish.kind, Wish::Kind::write);
  EXPECT_EQ(wish.mode, 0644);
  EXPECT_FALSE(wish.replace);
  for (const char* text : {R"({"wish":"read","path":"x","mode":0,"replace":true})",
                           R"({"wish":"remove","path":"/x","mode":0,"replace":true})",
                           R"({"wish":"write","path":"/x","mode":2541,"replace":true})"})
    EXPECT_EQ(reason_of([&] { (void)parse_wish(text); }), "ERR_USAGE frame") << text;
}

TEST(ServiceWire, CarriesTextAndDescriptors) {
  const Pair pair = make_pair();
  const files::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fds[] = {null.get(), null.get()};
  ASSERT_TRUE(send(pair.a.get(), "hello", fds));
  const auto message = receive(pair.b.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text, "hello");
  ASSERT_EQ(message->descriptors.size(), 2U);
  EXPECT_EQ(::fcntl(message->descriptors[0].get(), F_GETFD), FD_CLOEXEC);
}

TEST(ServiceWire, RefusesWhatIsTooLargeAndClosesWhatCame) {
  const Pair pair = make_pair();
  EXPECT_EQ(reason_of([&] { (void)send(pair.a.get(), std::string(kMaxText + 1, 'x')); }), "ERR_USAGE frame");
  const std::string huge(kMaxText + 1, 'x');
  ASSERT_EQ(::send(pair.a.get(), huge.data(), huge.size(), 0), static_cast<ssize_t>(huge.size()));
  EXPECT_EQ(reason_of([&] { (void)receive(pair.b.get()); }), "ERR_USAGE frame");
}

TEST(ServiceWire, KnowsThatTheOtherSideIsGone) {
  Pair pair = make_pair();
  pair.a.reset();
  EXPECT_FALSE(receive(pair.b.get()));
  EXPECT_FALSE(send(pair.b.get(), "x"));
}

TEST(ServiceWire, HearsTheLastWordOfASideThatClosedWithoutListening) {
  Pair pair = make_pair();
  ASSERT_TRUE(send(pair.a.get(), "never read"));
  ASSERT_TRUE(send(pair.b.get(), "refused"));
  pair.b.reset();
  const auto message = receive(pair.a.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text, "refused");
  EXPECT_FALSE(receive(pair.a.get()));
}

TEST(ServiceOrder, IsSealed) {
  const files::Fd order =
      write_order({.uid = 1000, .tenants = {"a"}, .arguments = {"doctor"}, .folder = "/", .has_person = true});
  EXPECT_EQ(::write(order.get(), "x", 1), -1);
  EXPECT_EQ(::ftruncate(order.get(), 0), -1);
  EXPECT_EQ(order_taken(), nullptr);
}

TEST(ServiceWorker, GivesAProcessNothingOfThePersonsEnvironment) {
  ::setenv("STELLA_TENANT", "evil", 1);
  ::setenv("LD_PRELOAD_NOT", "evil", 1);
  const auto all =
      clean_environment("/var/lib/stella", {.arguments = {"x"}, .folder = "/", .term = "vt100", .no_colour = true});
  std::string text;
  for (const std::string& one : all) text += one + "\n";
  EXPECT_EQ(text.find("evil"), std::string::npos);
  EXPECT_NE(text.find("STELLA_HOME=/var/lib/stella\n"), std::string::npos);
  EXPECT_NE(text.find("TERM=vt100\nNO_COLOR=1\n"), std::string::npos);
  ::unsetenv("STELLA_TENANT");
  ::unsetenv("LD_PRELOAD_NOT");
}

// A command line that answers wishes in its own thread.
class Wishes : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/stella-wishes-XXXXXX";
    root_ = ::mkdtemp(name);
    Pair pair = make_pair();
    bearer_.emplace(std::move(pair.a));
    answering_ = std::thread([socket = std::move(pair.b)] {
      while (fulfil_one(socket.get(), [] { return true; })) {
      }
    });
  }
  void TearDown() override {
    bearer_.reset();
    answering_.join();
    std::filesystem::remove_all(root_);
  }
  std::string root_;
  std::optional<SocketBearer> bearer_;
  std::thread answering_;
};

TEST_F(Wishes, BringFilesOpen) {
  files::write_atomically(root_ + "/in", "theirs", 0600);
  const files::Fd file = bearer_->open(root_ + "/in");
  EXPECT_EQ(files::read_stream(file.get(), 100, "in"), "theirs");
  EXPECT_EQ(reason_of([&] { (void)bearer_->open(root_ + "/none"); }), "ERR_FILE_NOT_FOUND missing");
}

TEST_F(Wishes, WriteWholeFiles) {
  bearer_->write(root_ + "/out", "bytes", 0640, files::Replace::no);
  EXPECT_EQ(files::read_input(root_ + "/out", {100}), "bytes");
  EXPECT_EQ(std::filesystem::status(root_ + "/out").permissions(), std::filesystem::perms{0640});
  EXPECT_EQ(reason_of([&] { bearer_->write(root_ + "/out", "x", 0640, files::Replace::no); }),
            "ERR_FILE_UNSUITABLE exists");
  EXPECT_TRUE(bearer_->is_folder(root_));
  EXPECT_FALSE(bearer_->is_folder(root_ + "/out"));
}

TEST(WishesAlone, AreRefusedWhenNobodyIsThere) {
  SocketBearer nobody{files::Fd()};
  EXPECT_EQ(reason_of([&] { (void)nobody.open("/x"); }), "ERR_SERVE_BUSY gone");
  Pair pair = make_pair();
  pair.b.reset();
  SocketBearer left(std::move(pair.a));
  EXPECT_EQ(reason_of([&] { (void)left.is_folder("/x"); }), "ERR_SERVE_BUSY gone");
}

TEST(WishesAlone, AnswerThatBringsNoFileIsRefused) {
  Pair pair = make_pair();
  SocketBearer bearer(std::move(pair.a));
  std::thread liar([&] {
    (void)receive(pair.b.get());
    (void)send(pair.b.get(), R"({"fulfilled":true})");
    (void)receive(pair.b.get());
    (void)send(pair.b.get(), "garbage");
  });
  EXPECT_EQ(reason_of([&] { (void)bearer.open("/x"); }), "ERR_USAGE frame");
  EXPECT_EQ(reason_of([&] { (void)bearer.open("/x"); }), "ERR_USAGE frame");
  liar.join();
}

}  // namespace
}  // namespace stella::service
