// SPDX-License-Identifier: Apache-2.0
#include "mirror/source/bundle_sink.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>

#include "bundles/archive/tar.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"

namespace stella::source {
namespace {

using fault::Code;
constexpr std::uint64_t kSlack = std::uint64_t{1} << 20;  // folders, tables, rounding up to clusters

// On a medium a full disk is the medium's.
void on_medium(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    if (error.code() != Code::no_space) throw;
    throw fault::Error(Code::media_full, "full", error.what(), error.at());
  }
}

class FolderSink : public BundleSink {
 public:
  FolderSink(const std::string& to, const std::string& name)
      : parent_(to + "/STELLA-MIRROR"), final_(parent_ + "/" + name), partial_(parent_ + "/." + name + ".partial") {
    on_medium([&] {
      files::make_folders(parent_, 0755);
      files::remove_tree(partial_);
      files::make_folders(partial_ + "/metadata", 0755);
      files::make_folders(partial_ + "/data", 0755);
    });
  }
  ~FolderSink() override {
    file_.reset();
    try {
      files::remove_tree(partial_);
    } catch (const fault::Error&) {  // the medium is gone; the next publish clears what is left
    }
  }

  void begin(const std::string& path, std::uint64_t) override {
    on_medium([&] { file_.emplace(partial_ + "/" + path, 0644); });
  }
  void write(std::string_view bytes) override {
    on_medium([&] { file_->write(bytes); });
  }
  void end() override {
    on_medium([&] { file_->commit(); });
    file_.reset();
  }
  std::string finish() override {
    files::crash_point("source.before-rename");
    on_medium([&] {
      files::remove_tree(final_);
      if (::rename(partial_.c_str(), final_.c_str()) != 0) throw fault::system_error(errno, "writing", final_);
      files::sync_folder(parent_);
    });
    return final_;
  }

 private:
  std::string parent_, final_, partial_;
  std::optional<files::AtomicFile> file_;
};

class TarSink : public BundleSink {
 public:
  TarSink(const std::string& to, const std::string& name)
      : to_(to), prefix_(name + "/"), file_(to, 0644), tar_([this](std::string_view bytes) { file_.write(bytes); }) {
    tar_.folder(name, 0755);
    tar_.folder(prefix_ + "metadata", 0755);
    tar_.folder(prefix_ + "data", 0755);
  }
  void begin(const std::string& path, std::uint64_t size_bytes) override {
    tar_.begin_file(prefix_ + path, 0644, size_bytes);
  }
  void write(std::string_view bytes) override {
    on_medium([&] { tar_.write(bytes); });
  }
  void end() override {}
  std::string finish() override {
    on_medium([&] {
      tar_.finish();
      file_.commit();
    });
    return to_;
  }

 private:
  std::string to_, prefix_;
  files::AtomicFile file_;
  archive::TarWriter tar_;
};

}  // namespace

std::unique_ptr<BundleSink> open_sink(const std::string& to, const std::string& name, std::uint64_t needed_bytes) {
  const bool is_tar = to.ends_with(".tar") && !std::filesystem::is_directory(to);
  const std::string parent = std::filesystem::path(to).parent_path().string();
  const std::string folder = is_tar ? (parent.empty() ? "." : parent) : to;
  const std::uint64_t free = files::free_bytes(folder);
  if (free < needed_bytes + kSlack) {
    throw fault::Error(Code::media_full, "full",
                       fmt::format("{} bytes are needed and {} are free", needed_bytes + kSlack, free), folder);
  }
  if (is_tar) return std::make_unique<TarSink>(to, name);
  return std::make_unique<FolderSink>(to, name);
}

}  // namespace stella::source
