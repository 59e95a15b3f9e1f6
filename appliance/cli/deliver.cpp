// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/deliver.hpp"

#include "appliance/cli/progress_bar.hpp"
#include "appliance/service/order.hpp"
#include "bundles/files/named.hpp"

namespace stella::cli {

service::Delivered deliver(const service::Destination& to, const std::vector<media::File>& files,
                           const media::Source& source, const std::string& label) {
  if (const int socket = service::person_socket(); socket >= 0) {
    service::Destination theirs = to;
    theirs.path = files::plain(to.path);
    return service::deliver_through(socket, theirs, files, source);
  }
  if (label.empty()) return service::deliver_here(to, files, source, [](std::uint64_t) {});
  std::uint64_t total = 0;
  for (const media::File& file : files) total += file.size_bytes * 2;  // written and read back
  ProgressBar bar(label, total);
  service::Delivered delivered =
      service::deliver_here(to, files, source, [&](std::uint64_t done) { bar.update(done); });
  bar.finish();
  return delivered;
}

}  // namespace stella::cli
