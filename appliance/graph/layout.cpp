// SPDX-License-Identifier: Apache-2.0
#include "appliance/graph/layout.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace stella::graph {
namespace {

using Links = std::set<std::pair<std::size_t, std::size_t>>;  // from, to: places among the siblings

// Who needs whom among what is shown: a stretch stands for all its steps.
Links links_of(const std::vector<Entry>& entries) {
  std::unordered_map<std::string_view, std::size_t> place;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].step != nullptr) place[entries[i].step->id] = i;
    for (const Step* one : entries[i].stretched) place[one->id] = i;
  }
  Links links;
  const auto add = [&](const Step& step, std::size_t to) {
    for (const std::string& need : step.needs) {
      const auto from = place.find(need);
      // Plan order keeps every need, so a link that goes back is no plan's: it would be a cycle.
      if (from != place.end() && from->second < to) links.emplace(from->second, to);
    }
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].step != nullptr) add(*entries[i].step, i);
    for (const Step* one : entries[i].stretched) add(*one, i);
  }
  return links;
}

std::vector<std::vector<std::size_t>> layers_of(std::size_t size, const Links& links) {
  std::vector<std::size_t> depth(size, 0);
  for (const auto& [from, to] : links)
    depth[to] = std::max(depth[to], depth[from] + 1);  // sorted by `from`: all before
  std::vector<std::vector<std::size_t>> layers;
  for (std::size_t i = 0; i < size; ++i) {
    if (layers.size() <= depth[i]) layers.resize(depth[i] + 1);
    layers[depth[i]].push_back(i);
  }
  // Each beneath the middle of what it needs, so that few edges cross.
  std::vector<double> rank(size, 0);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const std::size_t one : layers[i]) {
      double sum = 0, count = 0;
      for (const auto& [from, to] : links) {
        if (to == one) sum += rank[from], count += 1;
        if (from > one) break;
      }
      rank[one] = count > 0 ? sum / count : static_cast<double>(one);
    }
    std::stable_sort(layers[i].begin(), layers[i].end(), [&](auto a, auto b) { return rank[a] < rank[b]; });
    for (std::size_t at = 0; at < layers[i].size(); ++at) rank[layers[i][at]] = static_cast<double>(at);
  }
  return layers;
}

// A box of its own place, with what lies in it relative to its corner.
struct Block {
  int width = kBoxWidth, height = kBoxHeight;
  std::vector<Box> boxes;
  std::vector<Edge> edges;
};

Block block_of(const std::vector<Entry>& entries, std::size_t across);

Block block_of(const Entry& entry, std::size_t across) {
  Block block;
  if (!entry.members.empty()) {
    Block inner = block_of(entry.members, across);
    block.width = std::max(kBoxWidth, inner.width + 2 * kPadding);
    block.height = kHeading + inner.height + kPadding;
    const int left = (block.width - inner.width) / 2;
    for (Box& one : inner.boxes) one.x += left, one.y += kHeading;
    for (Edge& one : inner.edges) one.x1 += left, one.x2 += left, one.y1 += kHeading, one.y2 += kHeading;
    block.boxes = std::move(inner.boxes);
    block.edges = std::move(inner.edges);
  }
  block.boxes.insert(block.boxes.begin(), {.entry = &entry, .width = block.width, .height = block.height});
  return block;
}

struct Place {
  int x = 0, y = 0;
};
// One line of blocks after the other; where each begins, and the size of all.
std::vector<Place> places_of(const std::vector<Block>& blocks, const std::vector<std::vector<std::size_t>>& layers,
                             std::size_t across, Block& around) {
  std::vector<Place> places(blocks.size());
  std::vector<std::pair<std::vector<std::size_t>, int>> lines;  // and their widths
  int y = 0;
  around.width = 0;
  for (const auto& layer : layers) {
    for (std::size_t from = 0; from < layer.size(); from += across) {
      const std::vector<std::size_t> line(
          layer.begin() + static_cast<std::ptrdiff_t>(from),
          layer.begin() + static_cast<std::ptrdiff_t>(std::min(layer.size(), from + across)));
      int width = -kGap, height = 0;
      for (const std::size_t one : line) {
        places[one] = {width + kGap, y};
        width += kGap + blocks[one].width;
        height = std::max(height, blocks[one].height);
      }
      around.width = std::max(around.width, width);
      around.height = y + height;
      y += height + (from + across < layer.size() ? kGap : kLayerGap);
      lines.emplace_back(line, width);
    }
  }
  for (const auto& [line, width] : lines) {
    for (const std::size_t one : line) places[one].x += (around.width - width) / 2;
  }
  return places;
}

Block block_of(const std::vector<Entry>& entries, std::size_t across) {
  const Links links = links_of(entries);
  std::vector<Block> blocks;
  for (const Entry& one : entries) blocks.push_back(block_of(one, across));
  Block around;
  around.height = 0;
  const std::vector<Place> places = places_of(blocks, layers_of(entries.size(), links), across, around);
  for (const auto& [from, to] : links) {
    around.edges.push_back({places[from].x + blocks[from].width / 2, places[from].y + blocks[from].height,
                            places[to].x + blocks[to].width / 2, places[to].y});
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (Box one : blocks[i].boxes) {
      one.x += places[i].x;
      one.y += places[i].y;
      around.boxes.push_back(one);
    }
    for (Edge one : blocks[i].edges) {
      one.x1 += places[i].x, one.x2 += places[i].x, one.y1 += places[i].y, one.y2 += places[i].y;
      around.edges.push_back(one);
    }
  }
  return around;
}

}  // namespace

Picture lay_out(const Entry& root, std::size_t across) {
  if (root.members.empty()) return {};
  Block all = block_of(root.members, std::max<std::size_t>(1, across));
  for (Box& one : all.boxes) one.x += kPadding, one.y += kPadding;
  for (Edge& one : all.edges) one.x1 += kPadding, one.x2 += kPadding, one.y1 += kPadding, one.y2 += kPadding;
  return {all.width + 2 * kPadding, all.height + 2 * kPadding, std::move(all.boxes), std::move(all.edges)};
}

}  // namespace stella::graph
