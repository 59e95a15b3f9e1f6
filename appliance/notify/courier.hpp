// SPDX-License-Identifier: Apache-2.0
// Posting one message to one receiver. The only place where stella opens a connection of its own; libcurl is loaded at
// the first message that may be posted, so a sealed appliance never has it in memory. One thread.
//
// Only the pinned addresses of the way are connected to: no DNS, no proxy, no redirect, no other protocol; certificates
// are checked; answers are read to 64 KiB at most.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "appliance/notify/target.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::notify {

struct Parcel {
  const site::Notification* rule;
  Way way;
  std::string id, payload;
  std::vector<std::string> recipients = {};  // of a mail: who is still to get it
  std::string sender;                        // who greets a mail server: the appliance's id
  std::optional<std::string> ca_file;        // empty: the machine's
  clock::Duration within{};                  // all of it: connecting, sending, the answer
};

// sent: the receiver took it. later: it did not, but may. refused: it never will take this message as it is.
enum class Verdict { sent, later, refused };
struct Answer {
  Verdict verdict = Verdict::later;
  std::string reason;  // connect | tls | timeout | http-503 | smtp-450 | size | library | credential | …
  std::string what;    // a sentence, without anything secret
  std::optional<clock::Duration> wait = {};  // that the receiver asked for
  std::vector<std::string> closed = {};      // recipients not to be asked again: they got it, or never will
};

class Courier {
 public:
  virtual ~Courier() = default;
  [[nodiscard]] virtual Answer carry(const Parcel& parcel, const locked::Bytes& credential) = 0;
};
[[nodiscard]] std::unique_ptr<Courier> make_courier();

// What an answer's status means: 2xx sent; 408, 425, 429, 5xx later; anything else refused, redirects too.
[[nodiscard]] Answer read_http_status(long status);
// SMTP: 2xx sent, 4xx later, 5xx refused.
[[nodiscard]] Answer read_smtp_status(long status);

}  // namespace stella::notify
