// SPDX-License-Identifier: Apache-2.0
// Messages as files beneath the home's spool/{slack,email,pagerduty,webhook,spool}/, for carrying over the gap. A file
// is whole or not there. Any thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/notify/outbox.hpp"

namespace stella::notify {

struct Why {  // it was not posted; empty: its rule says `spool`
  std::string code, reason, what;
};
// spool/<to>/<time>-<16 of the id>.json: RFC 8785 {schema: stella.spool.v1, id, to, target, where, why?, message,
// payload}; for mail a .eml beside it. The same message gives the same files. Crash points notify.spooling,
// notify.spooled.
void write_spool(const files::Home& home, const Entry& entry, const Why& why);

struct SpoolFile {
  std::string path;  // relative to spool/: slack/20261128T154130000Z-1a2b….json
  std::uint64_t size_bytes = 0;
  std::optional<clock::Time> exported;
};
// The files that lie there, by name, of visible tenants. What is no file or has another name than ours is left out.
[[nodiscard]] std::vector<SpoolFile> list_spool(const files::Home& home, const Outbox* outbox);

}  // namespace stella::notify
