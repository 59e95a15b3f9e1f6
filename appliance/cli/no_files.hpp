// SPDX-License-Identifier: Apache-2.0
// A verb that was asked for from afar (HTTP): whoever asks has no files on this machine, and must not have those of the
// user that serves them opened in their name.
#pragma once

namespace stella::cli {

// From now on every path that a person named is refused unread, with ERR_PACK_INPUTS reason `file`: neither what is in
// a file nor whether it is there is told. Once, before any other thread; `-` stays standard input.
void refuse_named_files();

}  // namespace stella::cli
