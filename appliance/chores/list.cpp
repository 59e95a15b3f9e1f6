// SPDX-License-Identifier: Apache-2.0
#include "appliance/chores/list.hpp"

#include <fmt/format.h>

#include "bundles/fault/error.hpp"

namespace stella::chores {

List::List(std::vector<Chore> all, Trouble trouble) : trouble_(std::move(trouble)) {
  for (Chore& chore : all) all_.push_back({std::move(chore), {}});
}

void List::turn(Moment now) {
  for (Due& one : all_) {
    if (now < one.next) continue;
    one.next = now + one.chore.every;
    try {
      one.chore.act();
    } catch (const fault::Error& error) {
      if (trouble_) trouble_(fmt::format("{}: {}: {}", one.chore.name, fault::info(error.code()).name, error.what()));
    } catch (const std::exception& error) {  // a chore never ends the server
      if (trouble_) trouble_(fmt::format("{}: {}", one.chore.name, error.what()));
    }
  }
}

}  // namespace stella::chores
