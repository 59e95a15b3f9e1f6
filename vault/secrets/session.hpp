// SPDX-License-Identifier: Apache-2.0
// One transaction on the unsealed vault: load and check, change, seal, commit. Inside this room only; one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vault/secrets/store.hpp"

namespace stella::secrets {

struct Unsealed {
  Unsealed(VaultFile opened, Header found, locked::Bytes root_key, const clock::Clock& time);

  VaultFile file;
  Header header;
  locked::Bytes root, head_key, contents_key;
  audit::Trail trail;
  const clock::Clock* clock;
  std::int64_t seen_generation = 0, seen_audit = 0;  // never go back while this is open
};

class Session {
 public:
  // Begin::fresh: the first one of a new vault, which has no head yet.
  enum class Begin { existing, fresh };
  explicit Session(Unsealed& state, Begin begin = Begin::existing);

  Contents contents;
  void note(const Purpose& purpose);  // durable with the commit
  void changed() noexcept { changed_ = true; }
  void commit();

  [[nodiscard]] std::vector<audit::Entry> verify() const;  // objects against contents, trail against head
  [[nodiscard]] Head head() const { return {generation_, root_}; }

  // The sealed value of a version: data key under the tenant's key, padded value under the data key.
  Version add_object(const Secret& secret, const locked::Bytes& value);
  [[nodiscard]] locked::Bytes open_object(const Secret& secret, const Version& version) const;
  void remove_object(const Version& version) { state_->file.remove_object(version.object); }

 private:
  void load();
  Unsealed* state_;
  database::Transaction transaction_;
  std::int64_t generation_ = 0, audit_size_ = 0;
  canon::Digest root_, audit_chain_;
  bool changed_ = false;
};

}  // namespace stella::secrets
