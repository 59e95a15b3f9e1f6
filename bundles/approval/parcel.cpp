// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "bundles/approval/request.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

constexpr auto kCode = fault::Code::approval_malformed;

std::vector<canon::Digest> leaves_of(const std::string& text, const std::string& at) {
  const std::string bytes = canon::from_base64(text, kCode, at);
  if (bytes.size() % 32 != 0)
    throw fault::Error(kCode, "leaves",
                       "the leaf hashes are " + std::to_string(bytes.size()) + " bytes, not a multiple of 32", at);
  std::vector<canon::Digest> leaves(bytes.size() / 32);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(32 * i), 32, leaves[i].bytes.begin());
  return leaves;
}

}  // namespace

Parcel read_parcel(std::string text, const std::string& name) {
  if (text.size() > kMaxRequestBytes)
    throw fault::Error(kCode, "size", "a request has at most " + std::to_string(kMaxRequestBytes) + " bytes", name);
  const canon::Json document = canon::parse_json(text, kCode, name, kMaxRequestBytes);
  canon::Fields fields(document, kCode, "schema", name);
  if (fields.text("schema", 100) != kRequestSchema) fields.fail("is not " + std::string(kRequestSchema), "schema");
  Parcel parcel;
  parcel.name = name;
  // An envelope holds texts only, so canonical bytes and the bytes in the file say the same.
  parcel.request = dsse::parse(canon::canonical(fields.object("request")), kCode, name);
  parcel.site = canon::canonical(fields.object("site"));
  parcel.plan = fields.text("plan", kMaxRequestBytes);
  parcel.checkpoint = fields.text("checkpoint", 65536);
  parcel.leaves = leaves_of(fields.text("leaves", kMaxRequestBytes), name + ".leaves");
  fields.finish();
  parcel.bytes = std::move(text);
  return parcel;
}

}  // namespace stella::approval
