// SPDX-License-Identifier: Apache-2.0
#include "appliance/attest/readme.hpp"

#include <fmt/format.h>

namespace stella::attest {

std::string readme(const std::string& appliance, const std::string& run) {
  return fmt::format(
      "Evidence of {1}\n"
      "\n"
      "Is every listed byte the one that was sealed? Needs coreutils only:\n"
      "\n"
      "    sha256sum -c --strict SHA256SUMS\n"
      "\n"
      "Who sealed it? Needs OpenSSH, and YOUR OWN allowed_signers file, which you have from\n"
      "`stella site show --allowed-signers` or from the site's admins, never from this medium:\n"
      "\n"
      "    ssh-keygen -Y verify -f allowed_signers -I {0} -n stella-evidence \\\n"
      "        -s SHA256SUMS.sshsig < SHA256SUMS\n"
      "\n"
      "Was it allowed to happen? Replays every decision from the admins' keys that you trust:\n"
      "\n"
      "    stella evidence verify . --trust admin.pub\n"
      "\n"
      "Checksums alone do not prove where this comes from, and sha256sum does not notice files that\n"
      "somebody added; stella evidence verify and any BagIt 1.0 validator do. The files under trust/\n"
      "are copies for convenience and prove nothing by themselves. Names of artifacts may have been\n"
      "changed so that every file system bears them: names.json has the originals.\n",
      appliance, run);
}

}  // namespace stella::attest
