// SPDX-License-Identifier: Apache-2.0
// Files of the service's (an evidence bag, an escalation, the spool) as a folder on the operator's medium: their
// command line writes it with their rights, with preflight and read-back as ever, from what comes through a pipe. One
// delivery at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/service/wire.hpp"
#include "bundles/media/copy.hpp"

namespace stella::service {

struct Destination {
  std::string path;          // absolute, as the operator named it
  bool is_medium = false;    // --media; else --out, made when it is missing
  bool allow_fixed = false;  // --allow-fixed
  std::string below;         // the folder to make there: STELLA-EVIDENCE/<bag>
};
struct Delivered {
  media::Copied copied;
  std::string file_system;
  bool removable = false;
};
// With the rights of this process.
[[nodiscard]] Delivered deliver_here(const Destination& to, const std::vector<media::File>& files,
                                     const media::Source& source, const std::function<void(std::uint64_t)>& progress);

// In the process that works for an operator: through their command line at `socket`. Errors as media::copy_verified;
// ERR_SERVE_BUSY, reason `gone`.
[[nodiscard]] Delivered deliver_through(int socket, const Destination& to, const std::vector<media::File>& files,
                                        const media::Source& source);
// In the command line: whether this message is a delivery, and doing it; gives the answer's text. `goes_on` is asked at
// least every 200 ms while files come, and for each block that is read back; false ends the delivery, and the pipe.
[[nodiscard]] bool is_delivery(std::string_view text);
[[nodiscard]] std::string receive_delivery(const Message& message, const std::function<bool()>& goes_on);

}  // namespace stella::service
