// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/outputs.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "bundles/canon/digest.hpp"
#include "bundles/files/write.hpp"
#include "bundles/locked/bytes.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::run {
namespace {

std::string reason_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_step_failed);
    return error.reason();
  }
  return "none";
}

TEST(StepOutput, ReadsNamesAndValues) {
  EXPECT_EQ(parse_step_output("ready=yes\nurl=a=b\n\nempty=\nlast=no newline"),
            (canon::Json{{"ready", "yes"}, {"url", "a=b"}, {"empty", ""}, {"last", "no newline"}}));
  EXPECT_EQ(parse_step_output(""), canon::Json::object());
}

TEST(StepOutput, RefusesEverythingElse) {
  for (const std::string text :
       {"no equals", "=x", "1a=x", "a-b=x", "a b=x", "a=1\na=2", "a=\x1b[31m", "a=\xff", "a=x\r\n", "a=\xe2\x80\xae"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(reason_of([&] { (void)parse_step_output(text); }), "output-format");
  }
  EXPECT_EQ(reason_of([] { (void)parse_step_output(std::string(65, 'n') + "=x"); }), "output-format");
}

class OutputFiles : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { files::write_atomically(folder_ / name, text, 0600); }
  tests::TemporaryFolder folder_;
};

TEST_F(OutputFiles, BoundsTheFileAndItsKind) {
  EXPECT_EQ(read_step_output(folder_ / "none"), canon::Json::object());
  write("big", "a=" + std::string(kMaxOutputBytes, 'x'));
  EXPECT_EQ(reason_of([&] { (void)read_step_output(folder_ / "big"); }), "output-format");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(reason_of([&] { (void)read_step_output(folder_ / "fifo"); }), "output-format");
  std::filesystem::create_symlink("/etc/passwd", folder_ / "link");
  EXPECT_EQ(reason_of([&] { (void)read_step_output(folder_ / "link"); }), "output-format");
}

TEST_F(OutputFiles, RemovesWhatHoldsASecret) {
  const auto value = locked::Bytes::copy_of(std::string_view("hunter2-hunter2"));
  const std::vector<redaction::Value> values = {{"plc-token", &value}};
  const redaction::Patterns patterns(values);
  const std::string output = folder_ / "output", artifacts = folder_ / "artifacts";
  files::make_folders(artifacts + "/fine");
  const std::vector<std::string> texts = {
      "a=x hunter2-hunter2", "a=" + canon::to_base64(std::string_view("hunter2-hunter2")), "hunter2-hunter2=1",
      "no output hunter2-hunter2", std::string(kMaxOutputBytes + 1, 'x')};
  for (const std::string& text : texts) {
    write("output", text);
    EXPECT_NE(remove_secrets(patterns, output, artifacts), "");
    EXPECT_FALSE(std::filesystem::exists(output));
  }
  write("output", "a=harmless");
  EXPECT_EQ(remove_secrets(patterns, output, artifacts), "");
  EXPECT_TRUE(std::filesystem::exists(output));
  files::make_folders(artifacts + "/of-hunter2-hunter2/below");
  std::filesystem::create_symlink("hunter2-hunter2", artifacts + "/link");
  EXPECT_NE(remove_secrets(patterns, output, artifacts), "");
  EXPECT_FALSE(std::filesystem::exists(artifacts + "/of-hunter2-hunter2"));
  EXPECT_FALSE(std::filesystem::is_symlink(artifacts + "/link"));
  EXPECT_TRUE(std::filesystem::exists(artifacts + "/fine"));
}

TEST_F(OutputFiles, HashesDeclaredOutputs) {
  write("report.json", "{}");
  const auto stored = check_outputs({{"report", "report.json"}}, folder_.path());
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].digest, canon::sha256(std::string_view("{}")).tagged());
  EXPECT_EQ(stored[0].size_bytes, 2U);
}

TEST_F(OutputFiles, RefusesOutputsThatAreMissingOrNoRegularFiles) {
  std::filesystem::create_directory(folder_ / "dir");
  std::filesystem::create_symlink("/etc/passwd", folder_ / "link");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const char* path : {"missing", "dir", "link", "fifo", "dir/../../x"}) {
    SCOPED_TRACE(path);
    EXPECT_EQ(reason_of([&] { (void)check_outputs({{"report", path}}, folder_.path()); }), "output");
  }
}

}  // namespace
TEST(TypedOutputs, ReadsWhatIsDeclaredAndLeavesTheRest) {
  const canon::Json written = {{"files", "[\"a\", \"b\"]"}, {"lines", "3"}, {"ready", "true"}, {"note", "[1]"}};
  const canon::Json typed = typed_outputs(
      written,
      {{"files", pack::InputType::array}, {"lines", pack::InputType::integer}, {"ready", pack::InputType::boolean}});
  EXPECT_EQ(typed, canon::Json({{"files", {"a", "b"}}, {"lines", 3}, {"ready", true}, {"note", "[1]"}}));
}

TEST(TypedOutputs, RefusesAMissingOneAndAnotherType) {
  const auto refused = [](const canon::Json& written, pack::InputType type) {
    try {
      (void)typed_outputs(written, {{"x", type}});
    } catch (const fault::Error& error) {
      return std::string(error.reason());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused(canon::Json::object(), pack::InputType::string), "output");
  EXPECT_EQ(refused({{"x", "many"}}, pack::InputType::integer), "output");
  EXPECT_EQ(refused({{"x", "{\"a\":1,\"a\":2}"}}, pack::InputType::object), "output");
  EXPECT_EQ(refused({{"x", ""}}, pack::InputType::string), "accepted");
}

}  // namespace stella::run
