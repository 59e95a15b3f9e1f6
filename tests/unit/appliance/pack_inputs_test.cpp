// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/inputs.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "appliance/pack/scaffold.hpp"
#include "bundles/files/read.hpp"

namespace stella::pack {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("stella-inputs-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
};

Manifest manifest() {
  Manifest made;
  made.inputs = {
      {.name = "cell",
       .type = InputType::string,
       .required = true,
       .fallback = {},
       .schema = "s.json",
       .description = ""},
      {.name = "count",
       .type = InputType::integer,
       .required = false,
       .fallback = canon::Json(2),
       .schema = "",
       .description = ""},
      {.name = "image", .type = InputType::file, .required = false, .fallback = {}, .schema = "", .description = ""}};
  return made;
}

std::optional<std::string> schemas(const std::string&) {
  return R"({"pattern": "^hall-[0-9]$"})";
}

Inputs read(const std::string& path, const std::string& text) {
  return read_inputs(manifest(), InputsFile{path, text}, schemas);
}

TEST(Inputs, FillDefaultsAndHashFiles) {
  const Folder folder;
  (void)folder.write("fw.bin", "abc");
  const Inputs inputs = read((folder.path / "in.json").string(), R"({"cell": "hall-3", "image": "fw.bin"})");
  EXPECT_EQ(inputs.values, (canon::Json{{"cell", "hall-3"}, {"count", 2}, {"image", "/inputs/image"}}));
  EXPECT_EQ(inputs.given, (canon::Json{{"cell", "hall-3"}, {"image", "fw.bin"}}));
  EXPECT_EQ(inputs.files.at("image").size_bytes, 3U);
  EXPECT_EQ(inputs.files.at("image").digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Inputs, AreReadFromYamlByExtension) {
  EXPECT_EQ(read("in.yaml", "cell: hall-3\ncount: 7\n").values["count"], 7);
}

TEST(Inputs, ReportAllProblemsAtOnce) {
  try {
    (void)read("in.yaml", "cell: nave\ncount: many\nimge: x\n");
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_inputs);
    const std::string what = error.what();
    EXPECT_NE(what.find("must match"), std::string::npos) << what;
    EXPECT_NE(what.find("in.yaml:2:8: input count must be of type integer"), std::string::npos) << what;
    EXPECT_NE(what.find("did you mean `image`"), std::string::npos) << what;
    EXPECT_EQ(error.at(), "in.yaml:1:7");
  }
}

TEST(Inputs, RefuseWhatIsMissing) {
  EXPECT_THROW((void)read_inputs(manifest(), std::nullopt, schemas), fault::Error);
}

TEST(Inputs, KeepTheCodeOfALoneUnreadableFile) {
  const Folder folder;
  try {
    (void)read((folder.path / "in.json").string(), R"({"cell": "hall-3", "image": "none.bin"})");
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::file_not_found);
  }
}

TEST(FileInput, IsCopiedOnlyWhenItIsStillTheSame) {
  const Folder folder;
  const std::string source = folder.write("fw.bin", "abc"), target = (folder.path / "copy").string();
  const Inputs inputs = read((folder.path / "in.json").string(), R"({"cell": "hall-3", "image": "fw.bin"})");
  copy_file_input("image", inputs.files.at("image"), target);
  EXPECT_EQ(files::read_input(target, {.max_bytes = 10}), "abc");
  (void)folder.write("fw.bin", "abd");
  EXPECT_THROW(copy_file_input("image", inputs.files.at("image"), target + "2"), fault::Error);
  EXPECT_FALSE(fs::exists(target + "2"));
}

TEST(Inputs, AreReadAgainFromARunsFolder) {
  const Folder folder;
  (void)folder.write("image", "abc");
  const Inputs inputs =
      reload_inputs(manifest(), R"({"cell":"hall-3","image":"/gone/fw.bin"})", folder.path.string(), schemas);
  EXPECT_EQ(inputs.files.at("image").size_bytes, 3U);
}

TEST(Inputs, SayWhereInAJsonFileEachProblemIs) {
  try {
    (void)read("in.json", "{\n  \"count\": [1,\n 2],\n  \"cell\": \"nave\", \"imge\": 1\n}");
    FAIL();
  } catch (const fault::Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.at(), "in.json:4:11");
    EXPECT_NE(what.find("(at /cell)"), std::string::npos) << what;
    EXPECT_NE(what.find("in.json:2:12: input count must be of type integer"), std::string::npos) << what;
    EXPECT_NE(what.find("in.json:4:19: the pack has no input `imge`"), std::string::npos) << what;
  }
}

TEST(Inputs, FollowReferencesToFilesOfThePackOnly) {
  const auto files = [](const std::string& path) -> std::optional<std::string> {
    if (path == "schemas/cell.json") return R"({"$ref": "names/hall.json"})";
    if (path == "schemas/names/hall.json") return R"({"pattern": "^hall"})";
    if (path == "s.json") return R"({"$ref": "https://example.org/hall.json"})";
    return std::nullopt;
  };
  Manifest made = manifest();
  EXPECT_THROW((void)read_inputs(made, InputsFile{"in.yaml", "cell: hall-3\n"}, files), fault::Error);
  made.inputs[0].schema = "schemas/cell.json";
  EXPECT_EQ(read_inputs(made, InputsFile{"in.yaml", "cell: hall-3\n"}, files).values["cell"], "hall-3");
  EXPECT_THROW((void)read_inputs(made, InputsFile{"in.yaml", "cell: nave\n"}, files), fault::Error);
}

TEST(Scaffold, IsAPackWithoutProblems) {
  const Folder folder;
  const std::string pack = (folder.path / "Line_counter").string();
  EXPECT_EQ(write_scaffold(pack).size(), 6U);
  const auto reading = read_manifest(files::read_input(pack + "/pack.yaml", {.max_bytes = 1 << 20}), "pack.yaml");
  for (const auto& problem : reading.problems) ADD_FAILURE() << problem.at << ": " << problem.what;
  EXPECT_EQ(reading.manifest.name, "line-counter");
  EXPECT_THROW(write_scaffold(pack), fault::Error);
}

}  // namespace
}  // namespace stella::pack
