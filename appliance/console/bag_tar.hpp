// SPDX-License-Identifier: Apache-2.0
// A sealed bag as one file: a ustar archive of its folder, made while it is sent. The same bag gives the same bytes.
// One file is open at a time, and memory does not grow with the size of the bag's files.
#pragma once

#include <string>

#include "appliance/http/message.hpp"

namespace stella::console {

// `folder` is the bag's; all of it stands beneath the bag's own name. Its length is known before. Throws
// ERR_FILE_NOT_FOUND reason `evidence` when the folder is gone, ERR_FILE_UNSUITABLE reason `tar` for a name or a size
// that no such archive holds; what changes while it is sent breaks the answer off.
[[nodiscard]] http::Response bag_as_tar(const std::string& folder);

}  // namespace stella::console
