// SPDX-License-Identifier: Apache-2.0
// 1,000 steps that do nothing, one after the other, each start and end durable before what follows: against a floor of
// the same number of spawned programs with two durable commits each. The whole run counts, from the pack to the sealed
// evidence; the sandbox's own cost is shown apart.
#include "bundles/database/connection.hpp"
#include "tests/bench/engine.hpp"

namespace {

namespace bench = stella::bench;
namespace database = stella::database;

constexpr int kSteps = 1'000, kRounds = 5, kWarmUps = 1;

void floor(const std::string& path) {
  const auto db = database::Connection::open(
      path, {.damaged = stella::fault::Code::journal_tampered, .busy = stella::fault::Code::run_busy});
  db.execute("CREATE TABLE IF NOT EXISTS events (line TEXT)");
  const std::string line(200, 'x');
  const auto commit = [&] {
    database::Transaction transaction(db);
    db.prepare("INSERT INTO events VALUES (?)").bind(1, line).run();
    transaction.commit();
  };
  for (int i = 0; i < kSteps; ++i) {
    commit();
    bench::spawn_and_wait("true");
    commit();
  }
}

void run_bench(bench::Table& table) {
  const bench::Site site;
  const std::string pack = site.pack("chain", "  steps:\n" + bench::no_op_steps(kSteps, "  "));
  table.figure("one fdatasync here", bench::sync_cost_ms(site.path("")), "ms");
  std::vector<bench::Work> works = {
      {"floor", [&] { floor(site.path("floor.db")); }},
      {"engine", [&] { bench::run_engine(site, pack); }},
      {"stella pack run",
       [&] {
         bench::must_run({bench::binary(), "--quiet", "pack", "run", "--bundle", pack});
       }},
  };
  bench::measure(works, kRounds, kWarmUps);
  const auto wall = [&](int i) { return bench::median(works[i].wall_ms); };
  const auto cpu = [&](int i) { return bench::median(works[i].cpu_ms); };
  table.row("chain of 1,000, without sandbox, wall, against spawn + 2 commits", wall(1), wall(0), "<= 1.25");
  table.row("chain of 1,000, without sandbox, CPU", cpu(1), cpu(0), "");
  table.row("chain of 1,000, `stella pack run`, wall", wall(2), wall(0), "");
  table.row("chain of 1,000, `stella pack run`, CPU", cpu(2), cpu(0), "");
  table.figure("the sandbox's own cost, a step", (wall(2) - wall(1)) / kSteps, "ms");
  const long before = bench::syncs_so_far();
  bench::run_engine(site, pack);
  table.figure("syncs of a disk, a step", static_cast<double>(bench::syncs_so_far() - before) / kSteps, "");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "chain");
}
