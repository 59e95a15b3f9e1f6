// SPDX-License-Identifier: Apache-2.0
// DSSE: an envelope that is let in is written back to the same meaning; nothing verifies under a key that did not sign.
#include "bundles/dsse/envelope.hpp"
#include "tests/fuzz/entry.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  static const std::vector<trust::PublicKey> keys{trust::PrivateKey::generate().public_key()};
  fuzz::refusing_is_fine([&] {
    const dsse::Envelope envelope = dsse::parse(fuzz::text_of(data, size), fault::Code::pack_signature, "fuzz");
    const dsse::Envelope again = dsse::parse(dsse::serialise(envelope), fault::Code::pack_signature, "fuzz");
    fuzz::require(again.payload == envelope.payload && again.payload_type == envelope.payload_type);
    fuzz::require(again.signatures.size() == envelope.signatures.size());
    for (const dsse::EnvelopeSignature& signature : envelope.signatures) {
      fuzz::require(!dsse::find_signer(envelope, signature, keys));
    }
    const dsse::Statement statement =
        dsse::parse_statement(envelope, "urn:stella:pack:v1", fault::Code::pack_signature, "fuzz");
    fuzz::require(!statement.subjects.empty());
  });
  return 0;
}
