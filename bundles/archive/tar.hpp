// SPDX-License-Identifier: Apache-2.0
// Deterministic tar out, guarded tar in. libarchive, tar format only, filters off, never its disk writer. One thread
// per reader and writer.
// Source: POSIX.1-2017 pax, "ustar Interchange Format"; Unicode 14 NFC (UAX 15).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::archive {

// Same entries, same bytes: ustar without pax records, mtime 0, uid and gid 0, no names, two zero blocks at the end.
// `sink` gets the bytes in order. What a caller may get wrong from data (a path that does not fit, a size that is not
// kept) throws `internal`: ask fits_ustar() first.
class TarWriter {
 public:
  explicit TarWriter(std::function<void(std::string_view)> sink);
  ~TarWriter();
  TarWriter(TarWriter&&) = delete;
  void folder(const std::string& path, unsigned mode);
  void file(const std::string& path, unsigned mode, std::string_view bytes);
  // Content in pieces: exactly size_bytes must be written before the next entry.
  void begin_file(const std::string& path, unsigned mode, std::uint64_t size_bytes);
  void write(std::string_view bytes);
  void finish();

 private:
  void header(const std::string& path, char type, unsigned mode, std::uint64_t size_bytes);
  void end_file();
  std::function<void(std::string_view)> sink_;
  std::uint64_t left_ = 0, padding_ = 0;
};
// True when the path fits ustar's name and prefix fields: 100 bytes, or 155 + `/` + 100.
[[nodiscard]] bool fits_ustar(const std::string& path);
inline constexpr std::uint64_t kMaxFileBytes = (std::uint64_t{1} << 33) - 1;  // 11 octal digits

enum class Type { file, folder };
struct Member {
  std::string path;  // without a folder's closing `/`
  Type type;
  unsigned mode;  // permission bits, no set-id
  std::uint64_t size_bytes;
  std::uint64_t offset;  // of the content in the stream
};

struct Limits {
  std::uint64_t max_total_bytes;
  std::size_t max_members = 100000;
};
struct Codes {  // what to throw, with reasons path, link, type, duplicate, collision, tar, truncated, size
  fault::Code code;
  std::string name;  // of the file, for messages
};

class MemberReader {
 public:
  virtual ~MemberReader() = default;
  // Reads the next block of the current member's content; empty at its end. The view lives until the next call.
  virtual std::string_view next() = 0;
};

// Calls `visit` for each member in order. Refused: absolute paths, `..`, `.`, empty parts, NUL, control and invisible
// characters, invalid UTF-8, backslash, parts over 255 and paths over 4,096 bytes; links, devices, FIFOs, set-id bits;
// duplicates, a file where a folder is, names that fall together under case folding or NFC; sparse members, global pax
// headers, v7 headers; bytes after the end; a missing end. A second, independent walk over the headers must see the
// same members as libarchive does.
// What the stream holds may be refused after members before it were visited: keep nothing until this returns.
// `source` gives the next bytes of the stream, empty at the end; a view lives until the next call.
void read_tar(const std::function<std::string_view()>& source, const Codes& codes, Limits limits,
              const std::function<void(const Member&, MemberReader&)>& visit);
// The path rules alone; throws with reason `path`.
void check_path(const std::string& path, const Codes& codes);

// Blocks of a descriptor from where it stands. Throws system_error with `name`.
[[nodiscard]] std::function<std::string_view()> file_source(const files::Fd& file, const std::string& name);
// Blocks of a text, for tests and bytes already in memory; the text must outlive the source.
[[nodiscard]] std::function<std::string_view()> text_source(std::string_view text, std::size_t block_bytes = 65536);

}  // namespace stella::archive
