// SPDX-License-Identifier: Apache-2.0
// Deterministic tar out, guarded tar in. libarchive, tar format only, filters off, never its disk writer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::archive {

// Same entries, same bytes: ustar, mtime 0, uid and gid 0, no names. `sink` gets the bytes in order.
class TarWriter {
 public:
  explicit TarWriter(std::function<void(std::string_view)> sink);
  ~TarWriter();
  void folder(const std::string& path, unsigned mode);
  void file(const std::string& path, unsigned mode, std::string_view bytes);
  // Content in pieces: exactly size_bytes must be written before the next entry.
  void begin_file(const std::string& path, unsigned mode, std::uint64_t size_bytes);
  void write(std::string_view bytes);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class Type { file, folder };
struct Member { std::string path; Type type; unsigned mode; std::uint64_t size_bytes; std::uint64_t offset; };  // offset of the content in the stream

struct Limits {
  std::uint64_t max_total_bytes;
  std::size_t max_members = 100000;
};
struct Codes {           // what to throw, with reasons path, link, type, duplicate, collision, tar, truncated, size
  fault::Code code;
  std::string name;      // of the file, for messages
};

class MemberReader {
 public:
  virtual ~MemberReader() = default;
  // Reads the next block of the current member's content; empty at its end. The view lives until the next call.
  virtual std::string_view next() = 0;
};

// Calls `visit` for each member in order. Refused: absolute paths, `..`, `.`, empty parts, NUL, control characters,
// backslash, parts over 255 and paths over 4,096 bytes; links, devices, FIFOs, set-id bits; duplicates, names that fall
// together under case folding or NFC; sparse members; bytes after the end; a missing end.
// `source` gives the next bytes of the stream, empty at the end.
void read_tar(const std::function<std::string_view()>& source, const Codes& codes, Limits limits,
              const std::function<void(const Member&, MemberReader&)>& visit);
// The path rules alone; throws with reason `path`.
void check_path(const std::string& path, const Codes& codes);

}  // namespace stella::archive
