// SPDX-License-Identifier: Apache-2.0
// $ref and $dynamicRef: another schema is applied to the same value.
#include "appliance/schema/site.hpp"

namespace stella::schema {

void add_references(Site& site) {
  if (site.find("$ref") != nullptr)
    site.add([node = site.resolve("$ref").node](Evaluation& evaluation, const Frame& frame) {
      return evaluation.run(*node, frame.spot, frame.seen, frame.sink);
    });
  if (site.find("$dynamicRef") != nullptr)
    site.add([target = site.resolve("$dynamicRef")](Evaluation& evaluation, const Frame& frame) {
      const Node* node = target.dynamic_anchor.empty() ? nullptr : evaluation.find_dynamic(target.dynamic_anchor);
      return evaluation.run(node != nullptr ? *node : *target.node, frame.spot, frame.seen, frame.sink);
    });
}

}  // namespace stella::schema
