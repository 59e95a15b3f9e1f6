// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/via.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"

namespace stella::journal {

using canon::Json;
using canon::text_in;

Json via_token(const std::string& id, const std::string& tenant, const std::string& made_by,
               const std::string& holder) {
  Json via = {{"token", id}, {"tenant", tenant}, {"madeBy", made_by}};
  if (!holder.empty()) via["for"] = holder;
  return via;
}

Json via_peer(unsigned uid, const std::string& user) {
  return {{"peer", uid}, {"user", user}};
}

void put_via(Json& data, const Json& via) {
  if (via.is_object()) data["via"] = via;
}

std::vector<std::string> people_in(const Json& via) {
  std::vector<std::string> people;
  for (const char* name : {"for", "madeBy"}) {
    if (std::string one = text_in(via, name); !one.empty()) people.push_back(std::move(one));
  }
  return people;
}

std::vector<std::string> askers_in(const Event& event) {
  const bool asks = event.type == "pack.run.submitted" || event.type == "pack.run.resumed" ||
                    (event.type == "pack.gate.waiting" && event.data.contains("by"));
  if (!asks) return {};
  std::vector<std::string> people;
  if (std::string by = text_in(event.data, "by"); !by.empty()) people.push_back(std::move(by));
  if (const auto via = event.data.find("via"); via != event.data.end()) {
    for (std::string& one : people_in(*via)) people.push_back(std::move(one));
  }
  return people;
}

std::vector<std::string> askers_of(const Journal& journal, const RunRow& row) {
  std::vector<std::string> all;
  journal.for_each_event(row.id, 0, [&](const Event& event) {
    for (std::string& one : askers_in(event))
      if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
  });
  return all;
}

std::string via_text(const Json& via) {
  const std::string id = text_in(via, "token"), holder = text_in(via, "for");
  if (id.empty()) return {};
  return canon::printable(fmt::format("token {} of {} ({}made by {})", id, text_in(via, "tenant"),
                                      holder.empty() ? "" : "for " + holder + ", ", text_in(via, "madeBy")),
                          400);
}

}  // namespace stella::journal
