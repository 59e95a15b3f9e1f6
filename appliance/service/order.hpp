// SPDX-License-Identifier: Apache-2.0
// The order that a service gives to the process it starts for somebody (`stella act-for`, descriptor 3): who they are
// and what they typed. It travels in a descriptor that only the service makes; nothing that a person can type or set
// says for whom a process acts. One thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "bundles/files/fd.hpp"

namespace stella::service {

inline constexpr const char* kActFor = "act-for";
inline constexpr int kOrderAt = 3, kWishesAt = 4;  // descriptors of the started process

struct Order {
  uid_t uid = 0;
  std::vector<std::string> tenants;    // where they are an operator
  std::vector<std::string> arguments;  // what they typed
  std::string folder;                  // their current one
  bool has_person = true;              // kWishesAt leads to their command line; false: it has ended
};
// A sealed piece of memory that holds the order.
[[nodiscard]] files::Fd write_order(const Order& order);

// In the started process: takes the order at kOrderAt, and from now on acts for that person: their name in the journal,
// the runs of their tenants only, and the files they name opened by their own process. ERR_USAGE, reason `order`, when
// there is none: the verb is not for people.
const Order& take_order();
// The order that was taken; nullptr in every other process.
[[nodiscard]] const Order* order_taken();
// The socket to that person's command line; -1 in every other process, and where it has ended.
[[nodiscard]] int person_socket();

}  // namespace stella::service
