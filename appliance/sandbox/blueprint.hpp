// SPDX-License-Identifier: Apache-2.0
// Everything the child needs, made before clone: it only reads from here and allocates nothing. Owned by the thread
// that called run(), immutable once made.
#pragma once

#include <linux/filter.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "appliance/sandbox/identity.hpp"
#include "appliance/sandbox/step.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::sandbox {

struct Listen {
  sockaddr_storage address{};
  socklen_t length = 0;
};

struct TextFile {
  std::string path, text;
};  // path beneath the new root
struct ImageEntry {
  std::string path, target;
};  // beneath the image's root and the new one; target: of a symbolic link, else empty
struct SecretFile {
  std::string name;
  const locked::Bytes* value;
};
enum class Owner { step, nobody };  // step: belongs to the run, and the step owns it
struct Folder {
  std::string source, target;
  bool read_only;
  Owner owner = Owner::step;
};  // source on the host, target beneath the new root

struct Blueprint {
  Identity identity;
  bool only_probe = false;             // build everything, start nothing
  std::vector<Listen> listeners;       // one per destination
  std::vector<Endpoint> destinations;  // `Spec::allowed` without doubles
  std::vector<TextFile> etc;
  std::vector<Folder> folders;    // pack, inputs, work, artifacts, output, and the image's root where there is one
  std::vector<ImageEntry> image;  // what of the image is shown
  std::vector<SecretFile> secret_files;
  std::string scratch_size, ping_group;  // option texts
  std::vector<sock_filter> filter;
  unsigned max_processes = 0;

  std::vector<std::string> words, variables, programs;  // backing store of the arrays below
  std::vector<locked::Bytes> secret_variables;
  std::vector<char*> argv, envp, candidates;  // each ends with nullptr; candidates: paths to try
  std::string stack;                          // for the step's process until it execs
  char* arguments = nullptr;                  // this process's argv in memory, blanked in the child
  std::size_t arguments_size = 0;
};

// Throws ERR_PACK_INVALID, reason `network`, for what is no address and port.
[[nodiscard]] Listen destination_address(const Endpoint& endpoint);

// Throws ERR_PACK_INVALID for a step that cannot be described (no program, bad address, over 512 destinations), and
// ERR_SANDBOX_UNAVAILABLE when no user can be found to run it as.
[[nodiscard]] Blueprint draw(const Spec& spec);
[[nodiscard]] Blueprint draw_probe();

}  // namespace stella::sandbox
