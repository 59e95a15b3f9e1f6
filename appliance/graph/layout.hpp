// SPDX-License-Identifier: Apache-2.0
// Where the boxes of a run's graph lie: siblings in layers from top to bottom by what they need, groups around their
// members. Pure, O(n log n) in what fold() shows; any thread. Lengths are CSS pixels.
#pragma once

#include <vector>

#include "appliance/graph/fold.hpp"

namespace stella::graph {

inline constexpr int kBoxWidth = 184, kBoxHeight = 46, kGap = 16, kLayerGap = 26, kPadding = 12, kHeading = 34;

struct Box {
  const Entry* entry = nullptr;
  int x = 0, y = 0, width = kBoxWidth, height = kBoxHeight;
};
struct Edge {  // from the foot of a box to the head of another one
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};
struct Picture {
  int width = 0, height = 0;
  std::vector<Box> boxes;  // groups before what lies in them
  std::vector<Edge> edges;
};

// A layer of more than `across` boxes goes on in the next line.
[[nodiscard]] Picture lay_out(const Entry& root, std::size_t across = 3);

}  // namespace stella::graph
