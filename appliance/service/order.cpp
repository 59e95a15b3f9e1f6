// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/order.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "appliance/journal/visible.hpp"
#include "appliance/service/bearer.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/named.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxOrder = std::uint64_t{1} << 20;

std::optional<Order>& taken() {
  static std::optional<Order> order;
  return order;
}

int& wishes_socket() {
  static int socket = -1;
  return socket;
}

Order parse_order(const std::string& text) {
  const canon::Json object = canon::parse_json(text, Code::usage, "order");
  canon::Fields fields(object, Code::usage, "order", "order");
  (void)fields.choice("schema", {"stella.order.v1"});
  Order order{.uid = static_cast<uid_t>(fields.integer("uid", 0, std::numeric_limits<uid_t>::max())),
              .tenants = fields.texts("tenants"),
              .arguments = fields.texts("arguments"),
              .folder = fields.text("folder"),
              .has_person = fields.boolean("hasPerson")};
  fields.finish();
  return order;
}

// Nothing that this process starts gets it.
files::Fd own(int fd) {
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return files::Fd(fd);
  throw Error(Code::usage, "order", "this verb is for stella's service, not for people", "act-for",
              "See `stella --help`.");
}

}  // namespace

files::Fd write_order(const Order& order) {
  files::Fd memory(::memfd_create("stella-order", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) throw fault::system_error(errno, "making", "an order");
  files::write_all(memory.get(),
                   canon::canonical({{"schema", "stella.order.v1"},
                                     {"uid", order.uid},
                                     {"tenants", order.tenants},
                                     {"arguments", order.arguments},
                                     {"folder", order.folder},
                                     {"hasPerson", order.has_person}}),
                   "an order");
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0 ||
      ::lseek(memory.get(), 0, SEEK_SET) != 0)
    throw fault::system_error(errno, "sealing", "an order");
  return memory;
}

const Order& take_order() {
  const files::Fd memory = own(kOrderAt);
  if (::fcntl(memory.get(), F_GET_SEALS) < 0)
    throw Error(Code::usage, "order", "this verb is for stella's service, not for people", "act-for",
                "See `stella --help`.");
  taken() = parse_order(files::read_stream(memory.get(), kMaxOrder, "the order"));
  const Order& order = *taken();
  site::act_for(order.uid);
  journal::see_only(order.tenants);
  static SocketBearer bearer(order.has_person ? own(kWishesAt) : files::Fd());
  files::set_bearer(&bearer, order.folder);
  if (order.has_person) wishes_socket() = kWishesAt;  // the bearer owns it
  return order;
}

int person_socket() {
  return wishes_socket();
}

const Order* order_taken() {
  return taken() ? &*taken() : nullptr;
}

}  // namespace stella::service
