// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "appliance/sandbox/blueprint.hpp"
#include "appliance/sandbox/namespaces.hpp"
#include "appliance/sandbox/step.hpp"
#include "appliance/sandbox/supervision.hpp"
#include "appliance/sandbox/undertaker.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {
namespace {

// A file of its own for each attempt: what an earlier one left is not this one's output.
void make_output(const std::string& path) {
  const files::Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw fault::system_error(errno, "making the step's output file", path);
}

}  // namespace

Result run(const Spec& spec, Observer& observer) {
  const Blueprint blueprint = draw(spec);
  make_output(spec.output_file);
  return Supervision(spec, blueprint, observer, launch(blueprint)).watch_until_end();
}

std::string probe() {
  try {
    const Blueprint blueprint = draw_probe();
    Child child = launch(blueprint);
    files::Fd witness;
    for (;;) {
      Received received = next_report(child);
      if (received.report.kind == Report::Kind::ended) break;
      if (received.report.kind == Report::Kind::ready) witness = std::move(received.fds.at(1));
    }
    bury(std::move(child), std::move(witness));
    return {};
  } catch (const fault::Error& error) {
    return std::string(error.what()) + "; " + error.fix();
  }
}

}  // namespace stella::sandbox
