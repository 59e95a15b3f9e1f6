// SPDX-License-Identifier: Apache-2.0
// The name server of a step: reading a question, writing an answer. Bytes are the step's, hence hostile. Any thread.
// Source: RFC 1035 section 4 (messages), RFC 3596 (AAAA); EDNS of the question is not answered, which clients accept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stella::sandbox {

enum class QuestionType : std::uint16_t { a = 1, ptr = 12, aaaa = 28, other = 0 };
enum class ReplyCode : std::uint8_t { ok = 0, format = 1, no_name = 3, refused = 5 };

struct Question {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::string name;  // lower case, without the final dot; bytes that are no host name's as \NNN
  QuestionType type = QuestionType::other;
  std::size_t end = 0;  // of the question section, to be repeated in the answer
};
// nullopt: no standard query with one question (to be ignored).
[[nodiscard]] std::optional<Question> read_question(std::span<const std::uint8_t> message);

struct Answer {
  ReplyCode code = ReplyCode::ok;
  std::vector<std::string> addresses;  // those of the question's family are given
  std::string pointer;                 // for PTR
};
[[nodiscard]] std::vector<std::uint8_t> write_answer(std::span<const std::uint8_t> message, const Question& question,
                                                     const Answer& answer);
// `4.3.2.1.in-addr.arpa` or the nibbles under ip6.arpa as an address; nullopt for anything else.
[[nodiscard]] std::optional<std::string> reversed_address(const std::string& name);

}  // namespace stella::sandbox
