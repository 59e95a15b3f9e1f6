// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/no_files.hpp"

#include "bundles/fault/error.hpp"
#include "bundles/files/named.hpp"

namespace stella::cli {
namespace {

[[noreturn]] void refuse() {
  throw fault::Error(fault::Code::pack_inputs, "file", "a file of this machine cannot be named from afar", {},
                     "Start the run on the appliance: `stella pack run --pack NAME:VERSION --inputs FILE`.");
}

class Nobody : public files::Bearer {
 public:
  files::Fd open(const std::string&) override { refuse(); }
  files::Fd open_beneath(const std::string&, const std::string&) override { refuse(); }
  void write(const std::string&, std::string_view, unsigned, files::Replace) override { refuse(); }
  bool is_folder(const std::string&) override { return false; }
};

}  // namespace

void refuse_named_files() {
  static Nobody nobody;
  files::set_bearer(&nobody, "/");
}

}  // namespace stella::cli
