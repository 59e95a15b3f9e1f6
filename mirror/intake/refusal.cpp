// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/refusal.hpp"

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"
#include "mirror/receipts/receipt.hpp"

namespace stella::intake {

bool is_refusal(const fault::Error& error) {
  using fault::Code;
  switch (error.code()) {
    case Code::mirror_malformed:
    case Code::mirror_signature:
    case Code::mirror_rollback:
    case Code::mirror_frozen:
    case Code::mirror_digest:
    case Code::mirror_base:
    case Code::mirror_untrusted:
      return true;
    default:
      return false;
  }
}

void record_refusal(const files::Home& home, const site::Identity& identity, clock::Time now, const Bringer& bringer,
                    const fault::Error& error) {
  const std::string import = clock::format_compact(now) + "-" + canon::random_hex(4);
  canon::Json record = {{"import", import},
                        {"from", canon::printable(bringer.from, 500)},
                        {"by", canon::printable(bringer.by, 200)},
                        {"code", fault::info(error.code()).name},
                        {"reason", error.reason()},
                        {"message", canon::printable(error.what(), 1000)},
                        {"place", canon::printable(error.at(), 500)}};
  receipts::append(home, identity, now,
                   {.outcome = "refused", .subject = {"import " + import, canon::sha256("")}, .details = record});
  record["schema"] = "stella.mirror-quarantine.v1";
  record["at"] = clock::format(now);
  const std::string folder = home.mirror() + "/quarantine/" + import;
  files::make_folders(folder);
  files::write_atomically(folder + "/reason.json", canon::pretty(record), 0600);
}

}  // namespace stella::intake
