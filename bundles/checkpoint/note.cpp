// SPDX-License-Identifier: Apache-2.0
#include "bundles/checkpoint/note.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace stella::checkpoint {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space: signed-note, "Format"
constexpr std::size_t kMaxNote = 16384, kMaxSignatures = 16, kHashBytes = 4, kSignatureBytes = 64;
constexpr std::int64_t kMaxSize = std::int64_t{1} << 53;

bool is_name(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return c == '+' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  });
}

// Text without control characters but newlines, in lines none of which is empty.
bool is_text(std::string_view text) {
  return text.size() > 1 && text.ends_with('\n') && text.front() != '\n' &&
         text.find("\n\n") == std::string_view::npos && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < ' ' && c != '\n';
         });
}

NoteSignature parse_signature(std::string_view line, fault::Code malformed, const std::string& at) {
  const auto fail = [&]() { return fault::Error(malformed, "note", "a signature line of the note is not one", at); };
  if (!line.starts_with(kDash)) throw fail();
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_name(line.substr(0, space))) throw fail();
  NoteSignature signature{std::string(line.substr(0, space)),
                          canon::from_base64(line.substr(space + 1), malformed, at)};
  if (signature.bytes.size() <= kHashBytes) throw fail();
  return signature;
}

std::int64_t parse_size(std::string_view text) {
  std::int64_t size = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool one_spelling = text == "0" || (!text.empty() && text.front() >= '1' && text.front() <= '9');
  if (error != std::errc() || end != text.data() + text.size() || !one_spelling || size > kMaxSize) return -1;
  return size;
}

}  // namespace

std::string format(const Checkpoint& checkpoint) {
  return fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size, canon::to_base64(checkpoint.root.bytes));
}

std::string sign_note(std::string_view text, std::string_view name, const trust::PrivateKey& key) {
  if (!is_text(text) || !is_name(name)) {
    throw fault::Error(fault::Code::internal, "note", fmt::format("`{}` cannot sign this note", name));
  }
  const trust::Signature raw = key.sign(text);
  const std::string signature = key.public_key().vkey_hash(name) + std::string(raw.begin(), raw.end());
  return fmt::format("{}\n{}{} {}\n", text, kDash, name, canon::to_base64(signature));
}

std::string sign(const Checkpoint& checkpoint, std::string_view name, const trust::PrivateKey& key) {
  return sign_note(format(checkpoint), name, key);
}

Note parse_note(std::string_view note, fault::Code malformed, const std::string& at) {
  const std::size_t gap = note.find("\n\n");
  if (note.size() > kMaxNote || gap == std::string_view::npos || !note.ends_with('\n') ||
      !is_text(note.substr(0, gap + 1))) {
    throw fault::Error(malformed, "note", "this is not a signed note: text, an empty line, signatures", at);
  }
  Note result{std::string(note.substr(0, gap + 1)), {}};
  for (std::string_view rest = note.substr(gap + 2); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    result.signatures.push_back(parse_signature(rest.substr(0, end), malformed, at));
    rest.remove_prefix(end + 1);
  }
  if (result.signatures.empty() || result.signatures.size() > kMaxSignatures) {
    throw fault::Error(malformed, "note", fmt::format("a note has 1 to {} signatures", kMaxSignatures), at);
  }
  return result;
}

Checkpoint parse_checkpoint(std::string_view text, fault::Code malformed, const std::string& at) {
  const auto fail = [&](const std::string& what) { return fault::Error(malformed, "checkpoint", what, at); };
  if (std::count(text.begin(), text.end(), '\n') != 3 || !text.ends_with('\n')) {
    throw fail("a checkpoint has three lines: origin, size, root");
  }
  const std::size_t first = text.find('\n'), second = text.find('\n', first + 1);
  Checkpoint result;
  result.origin = text.substr(0, first);
  result.size = parse_size(text.substr(first + 1, second - first - 1));
  const std::string root = canon::from_base64(text.substr(second + 1, text.size() - second - 2), malformed, at);
  if (result.origin.empty()) throw fail("the checkpoint has no origin");
  if (result.size < 0) throw fail("the checkpoint's size is not a number of lines");
  if (root.size() != result.root.bytes.size()) throw fail("the checkpoint's root has not 32 bytes");
  std::copy(root.begin(), root.end(), result.root.bytes.begin());
  return result;
}

bool is_signed_by(const Note& note, std::string_view name, const trust::PublicKey& key) {
  const std::string hash = key.vkey_hash(name);
  return std::any_of(note.signatures.begin(), note.signatures.end(), [&](const NoteSignature& signature) {
    const std::string_view bytes = signature.bytes;
    return signature.name == name && bytes.size() == kHashBytes + kSignatureBytes && bytes.starts_with(hash) &&
           trust::verify(key, note.text, bytes.substr(kHashBytes));
  });
}

}  // namespace stella::checkpoint
