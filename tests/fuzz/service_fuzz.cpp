// SPDX-License-Identifier: Apache-2.0
// What comes over the service's sockets: whatever is taken is written again as the same message.
#include <string>

#include "appliance/service/request.hpp"
#include "tests/fuzz/entry.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] {
    const service::Request request = service::parse_request(text);
    fuzz::require(!request.arguments.empty() && request.folder.starts_with('/'));
    const service::Request again = service::parse_request(service::text_of(request));
    fuzz::require(again.arguments == request.arguments && again.folder == request.folder && again.term == request.term);
  });
  fuzz::refusing_is_fine([&] {
    const service::Wish wish = service::parse_wish(text);
    fuzz::require(service::parse_wish(service::text_of(wish)).path == wish.path);
  });
  fuzz::refusing_is_fine([&] {
    const service::Answer answer = service::parse_answer(text);
    fuzz::require(service::parse_answer(service::text_of(answer)).index() == answer.index());
  });
  fuzz::refusing_is_fine([&] { (void)service::parse_signal(text); });
  fuzz::refusing_is_fine([&] { (void)service::parse_fulfilled(text); });
  return 0;
}
