// SPDX-License-Identifier: Apache-2.0
#include "bundles/packfile/signing.hpp"

namespace stella::packfile {
namespace {

dsse::Statement statement_of(const std::string& name, const std::string& version, const canon::Digest& digest) {
  return {{{name + ":" + version, digest}}, std::string(kPackPredicate), {{"name", name}, {"version", version}}};
}

}  // namespace

std::string sign_digest(const std::string& name, const std::string& version, const canon::Digest& digest,
                        const trust::PrivateKey& key) {
  return dsse::serialise(dsse::sign(statement_of(name, version, digest), key));
}

bool speaks_of(const dsse::Envelope& envelope, const Opened& pack) {
  try {
    const auto malformed = fault::Code::pack_signature;
    const dsse::Statement statement = dsse::parse_statement(envelope, kPackPredicate, malformed, pack.name_version());
    return dsse::serialise(statement) == dsse::serialise(statement_of(pack.name, pack.version, pack.digest));
  } catch (const fault::Error&) {
    return false;
  }
}

}  // namespace stella::packfile
