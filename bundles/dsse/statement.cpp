// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bundles/canon/fields.hpp"
#include "bundles/dsse/envelope.hpp"

namespace stella::dsse {
namespace {

constexpr std::string_view kStatementVersion = "https://in-toto.io/Statement/v1";
constexpr std::size_t kMaxSubjects = 1024;

Subject parse_subject(const canon::Json& item, fault::Code malformed, const std::string& at) {
  canon::Fields fields(item, malformed, "statement", at);
  Subject subject;
  subject.name = fields.text("name", 4096);
  canon::Fields digest(fields.object("digest"), malformed, "statement", at + ".digest");
  subject.digest = canon::parse_hex_digest(digest.text("sha256", 64), malformed, at + ".digest.sha256");
  digest.finish();
  fields.finish();
  return subject;
}

void require_kind(const Envelope& envelope, fault::Code malformed, const std::string& at) {
  if (envelope.payload_type != kStatementType) {
    throw fault::Error(
        malformed, "payload-type",
        fmt::format("the envelope holds `{}`, not a statement", canon::printable(envelope.payload_type, 80)), at);
  }
  if (envelope.signatures.size() != 1) {
    throw fault::Error(malformed, "envelope",
                       fmt::format("a statement has one signature, this one has {}", envelope.signatures.size()), at);
  }
}

}  // namespace

std::string serialise(const Statement& statement) {
  canon::Json subjects = canon::Json::array();
  for (const Subject& subject : statement.subjects) {
    subjects.push_back({{"name", subject.name}, {"digest", {{"sha256", subject.digest.hex()}}}});
  }
  return canon::canonical({{"_type", kStatementVersion},
                           {"subject", std::move(subjects)},
                           {"predicateType", statement.predicate_type},
                           {"predicate", statement.predicate}});
}

Envelope sign(const Statement& statement, const trust::PrivateKey& key) {
  return sign(kStatementType, serialise(statement), key);
}

Statement parse_statement(const Envelope& envelope, std::string_view predicate_type, fault::Code malformed,
                          const std::string& at) {
  require_kind(envelope, malformed, at);
  const canon::Json object = canon::parse_json(envelope.payload, malformed, at);
  canon::Fields fields(object, malformed, "statement", at);
  (void)fields.choice("_type", {std::string(kStatementVersion)});
  Statement statement;
  statement.predicate_type = fields.text("predicateType", 256);
  if (statement.predicate_type != predicate_type) {
    throw fault::Error(malformed, "predicate-type",
                       fmt::format("this is a signed `{}`, not a `{}`", canon::printable(statement.predicate_type, 80),
                                   predicate_type),
                       at);
  }
  for (const canon::Json& item : fields.array("subject", kMaxSubjects)) {
    statement.subjects.push_back(parse_subject(item, malformed, at + ".subject"));
  }
  statement.predicate = fields.object("predicate");
  fields.finish();
  if (statement.subjects.empty()) fields.fail("a statement needs a subject", "subject");
  return statement;
}

}  // namespace stella::dsse
