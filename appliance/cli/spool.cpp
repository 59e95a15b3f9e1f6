// SPDX-License-Identifier: Apache-2.0
// spool list, spool export: messages that may not leave by the network leave on a medium.
#include <fmt/format.h>

#include "appliance/cli/command.hpp"
#include "appliance/cli/deliver.hpp"
#include "appliance/notify/spool.hpp"
#include "appliance/service/order.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/media/copy.hpp"
#include "bundles/site/identity.hpp"

namespace stella::cli {
namespace {

using notify::SpoolFile;

constexpr std::uint64_t kMaxFile = 1 << 20;
constexpr const char* kReadme = "00-README.txt";
constexpr const char* kSums = "SHA256SUMS";
constexpr std::string_view kText =
    "Notifications of a stella appliance that had no network to send them by.\n"
    "\n"
    "  slack/ pagerduty/ webhook/   one JSON file each: `payload` is the body to post, `target` says where to\n"
    "  email/                       the .eml is the message, ready for sendmail -t\n"
    "  spool/                       for you: read `message`\n"
    "\n"
    "Whole?   sha256sum -c --strict SHA256SUMS\n"
    "Send:    docs/operations/notifications.md, \"On the other side\"\n";

std::vector<SpoolFile> files_of(Invocation& call, std::optional<notify::Outbox>& outbox) {
  if (notify::Outbox::exists(call.home())) outbox.emplace(notify::Outbox::open(call.home()));
  return notify::list_spool(call.home(), outbox ? &*outbox : nullptr);
}

int list_files(Invocation& call) {
  std::optional<notify::Outbox> outbox;
  std::vector<std::vector<std::string>> rows;
  canon::Json all = canon::Json::array();
  for (const SpoolFile& file : files_of(call, outbox)) {
    rows.push_back({file.path, std::to_string(file.size_bytes), file.exported ? clock::format(*file.exported) : "-"});
    all.push_back({{"file", file.path},
                   {"bytes", file.size_bytes},
                   {"exported", file.exported ? canon::Json(clock::format(*file.exported)) : canon::Json()}});
  }
  if (rows.empty()) call.out().say("the spool is empty");
  if (!rows.empty()) call.out().table({"FILE", "BYTES", "EXPORTED"}, rows);
  call.out().result({{"folder", notify::spool_of(call.home())}, {"files", all}});
  return 0;
}

// The files with their digests, and the list of them as sha256sum reads it.
struct Load {
  std::vector<media::File> files;
  std::vector<std::string> paths;
  std::string sums;
  std::uint64_t bytes = 0;
  void add(const std::string& path, std::string_view content) {
    const canon::Digest digest = canon::sha256(content);
    files.push_back({path, digest, content.size()});
    sums += fmt::format("{}  {}\n", digest.hex(), path);
    bytes += content.size();
  }
};

Load load_of(const files::Home& home, const std::vector<SpoolFile>& spooled, bool again) {
  Load load;
  const files::Fd root = files::open_folder(notify::spool_of(home));
  load.add(kReadme, kText);
  for (const SpoolFile& file : spooled) {
    if (file.exported && !again) continue;
    load.add(file.path, files::read_input_beneath(root, file.path, {kMaxFile}));
    load.paths.push_back(file.path);
  }
  return load;
}

// Named by what is in it: after a kill between copying and marking, the next export finds its own folder there.
std::string folder_name(const files::Home& home, const Load& load) {
  const std::string id = site::has_identity(home) ? site::load_identity(home).id : "stella";
  std::string newest;
  for (const std::string& path : load.paths) newest = std::max(newest, path.substr(path.find('/') + 1, 19));
  return fmt::format("{}_{}_{}", id, newest, canon::sha256(load.sums).hex().substr(0, 8));
}

// The messages from the spool; what explains and lists them is made as they go.
media::Source source_of(const files::Home& home, const Load& load) {
  return [&load, files = media::from_folder(notify::spool_of(home))](
             const media::File& file, const std::function<void(std::string_view)>& take) {
    if (file.path == kReadme) return take(kText);
    if (file.path == kSums) return take(load.sums);
    files(file, take);
  };
}

int export_files(Invocation& call) {
  const service::Destination to{
      .path = call.need("--media"), .is_medium = true, .allow_fixed = call.flag("--allow-fixed"), .below = {}};
  if (service::person_socket() < 0)
    (void)media::open_volume(to.path, to.allow_fixed ? media::Fixed::allow : media::Fixed::refuse);
  std::optional<notify::Outbox> outbox;
  const auto spooled = files_of(call, outbox);
  Load load = spooled.empty() ? Load{} : load_of(call.home(), spooled, call.flag("--again"));
  if (load.paths.empty()) {
    call.out().say(spooled.empty() ? "the spool is empty"
                                   : "everything was exported before (--again takes it once more)");
    call.out().result({{"folder", canon::Json()}, {"files", canon::Json::array()}});
    return 0;
  }
  service::Destination folder = to;
  folder.below = "STELLA-SPOOL/" + folder_name(call.home(), load);
  load.files.push_back({kSums, canon::sha256(load.sums), load.sums.size()});
  const media::Copied copied = deliver(folder, load.files, source_of(call.home(), load), {}).copied;
  files::crash_point("spool.exported");
  if (!outbox) outbox.emplace(notify::Outbox::open(call.home()));
  outbox->mark_exported(load.paths, call.clock().now());
  call.out().say(fmt::format("{} messages' files exported and read back: {}", load.paths.size(), copied.folder));
  if (!copied.cache_bypassed)
    call.out().note("note: this file system has no direct reads, so the read-back may have come from memory");
  call.out().result({{"folder", copied.folder}, {"files", load.paths}, {"cacheBypassed", copied.cache_bypassed}});
  return 0;
}

}  // namespace

std::vector<Command> spool_commands() {
  return {
      {{"spool", "list"}, "the messages that wait for a medium", "stella spool list", {}, {}, list_files},
      {{"spool", "export"},
       "copy messages that have not gone out yet to a medium, read back",
       "stella spool export --media /media/stick",
       {},
       {{"--media", "DIR", "the mount point of a removable medium", true, false, false},
        {"--allow-fixed", "", "take a plain folder too", false, false, false},
        {"--again", "", "also what was exported before", false, false, false}},
       export_files},
  };
}

}  // namespace stella::cli
