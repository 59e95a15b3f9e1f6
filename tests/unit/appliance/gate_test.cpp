// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "appliance/gate/gate.hpp"
#include "bundles/files/home.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"
#include "tests/builders/approval_case.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella {
namespace {

using gate::Standing;
using testing::ApprovalCase;
using testing::refusal;
using testing::time_of;

class Gate : public ::testing::Test {
 protected:
  void SetUp() override {
    files::make_folders(folder + "/approvals");
    files::make_folders(folder + "/work");
    c.home_mark = site::look_at_home(files::Home::open(home)).mark;
    bound.id = "review";
    bound.threshold = 2;
    bound.roles = {{"safety", 1}};
    plan.bytes = canon::canonical(c.plan());
    plan.hash = canon::sha256(plan.bytes);
    plan.pack_name = "firmware-rollout";
    plan.pack_version = "1.4.0";
    apply(c);
  }

  void apply(const ApprovalCase& from) {
    current.policy = from.policy();
    current.envelope = dsse::sign(dsse::kSiteType, from.policy_text(), from.admin);
    current.envelope_bytes = dsse::serialise(current.envelope);
  }
  void put(const std::string& name, const std::string& bytes) {
    files::write_atomically(folder + "/approvals/" + name, bytes, 0600);
  }
  approval::Request ask() {
    approval::Request request = c.make();
    put(approval::request_file_name(request), request.parcel.bytes);
    return request;
  }
  void answer(const approval::Request& request, const trust::PrivateKey& key, const std::string& name,
              approval::Decision decision = approval::Decision::approved) {
    put(approval::response_file_name(request, key.public_key()), ApprovalCase::answer(request, key, name, decision));
  }
  gate::Subject subject() const {
    return {.run = c.run,
            .tenant = c.tenant,
            .folder = folder,
            .attempt = 1,
            .requester = "Ana Ortiz",
            .plan = &plan,
            .current = &current};
  }
  gate::Tally tally(const char* now = "2026-11-23T17:10:00Z") const {
    return gate::tally(subject(), bound, time_of(now));
  }
  std::string verdict() const {
    return refusal([&] { (void)tally(); });
  }

  ApprovalCase c;
  tests::TemporaryFolder temporary;
  std::string home = temporary.path(), folder = home + "/runs/run";
  plan::Gate bound;
  plan::Plan plan;
  site::Applied current;
};

TEST_F(Gate, WaitsForEnoughPeopleAndRoles) {
  EXPECT_EQ(tally().standing, Standing::no_request);
  const approval::Request request = ask();
  EXPECT_EQ(tally().standing, Standing::waiting);
  answer(request, c.ada, "Ada Obi");
  EXPECT_EQ(tally().have, 1);
  answer(request, c.ada_second, "Ada Obi");
  EXPECT_EQ(tally().have, 1) << "one person, two keys";
  EXPECT_EQ(tally().standing, Standing::waiting);
  answer(request, c.lee, "Lee Park");
  EXPECT_EQ(tally().standing, Standing::open);
  EXPECT_EQ(tally().approvers.size(), 2U);
}

TEST_F(Gate, StaysShutWhileARoleIsMissing) {
  c.threshold = bound.threshold = 1;
  plan.bytes = canon::canonical(c.plan());
  plan.hash = canon::sha256(plan.bytes);
  answer(ask(), c.lee, "Lee Park");
  EXPECT_EQ(tally().standing, Standing::waiting);
  EXPECT_EQ(tally().missing_roles, std::vector<std::string>{"safety: 1 more"});
}

TEST_F(Gate, ExpiresOnlyWhileItWaits) {
  const approval::Request request = ask();
  EXPECT_EQ(tally("2026-11-23T17:24:33Z").standing, Standing::waiting);
  EXPECT_EQ(tally("2026-11-23T17:24:34Z").standing, Standing::expired);
  answer(request, c.ada, "Ada Obi");
  answer(request, c.lee, "Lee Park");
  EXPECT_EQ(tally("2026-11-24T17:24:34Z").standing, Standing::open) << "what was approved in time stays approved";
}

TEST_F(Gate, IsShutByOneRejection) {
  const approval::Request request = ask();
  answer(request, c.ada, "Ada Obi");
  answer(request, c.lee, "Lee Park", approval::Decision::rejected);
  EXPECT_EQ(tally().standing, Standing::rejected);
  EXPECT_EQ(tally().decided_by, "Lee Park");
  EXPECT_EQ(refusal([&] { (void)gate::clear_again(subject(), bound, time_of("2026-11-23T17:10:00Z")); }),
            "ERR_PACK_APPROVAL_REJECTED rejected");
}

TEST_F(Gate, LosesAKeyThatIsRevokedLater) {
  const approval::Request request = ask();
  answer(request, c.ada, "Ada Obi");
  answer(request, c.lee, "Lee Park");
  ApprovalCase later;
  later.policy_version = 4;
  later.revoked =
      canon::Json::array({{{"key", c.lee.public_key().line()}, {"since", "2026-11-23T17:05:00Z"}, {"reason", "left"}}});
  apply(later);
  EXPECT_EQ(tally().standing, Standing::waiting);
  EXPECT_EQ(tally().have, 1);
}

TEST_F(Gate, IsWithdrawnByAStricterPolicy) {
  ask();
  ApprovalCase later;
  later.policy_version = 4;
  later.require = canon::Json::array({{{"packs", canon::Json::array({"firmware-*"})}, {"threshold", 3}}});
  apply(later);
  EXPECT_EQ(tally().standing, Standing::withdrawn);
  EXPECT_EQ(refusal([&] { (void)gate::clear_again(subject(), bound, time_of("2026-11-23T17:10:00Z")); }),
            "ERR_APPROVAL_MISMATCH policy");
}

TEST_F(Gate, IsWithdrawnInACopiedHome) {
  const approval::Request request = ask();
  answer(request, c.ada, "Ada Obi");
  answer(request, c.lee, "Lee Park");
  std::filesystem::copy(home + "/site", home + "/site-copy", std::filesystem::copy_options::recursive);
  files::remove_tree(home + "/site");
  std::ofstream(home + "/takes-the-inode") << "x";
  std::filesystem::rename(home + "/site-copy", home + "/site");
  EXPECT_TRUE(tally().home_moved);
  EXPECT_EQ(refusal([&] { (void)gate::clear_again(subject(), bound, time_of("2026-11-23T17:10:00Z")); }),
            "ERR_APPROVAL_REPLAYED home-moved");
}

TEST_F(Gate, BelievesNoStoredFileThatWasTouched) {
  const approval::Request request = ask();
  answer(request, c.ada, "Ada Obi");
  const std::string good = ApprovalCase::answer(request, c.lee, "Lee Park");
  canon::Json altered = canon::parse_json(good, fault::Code::usage, "test");
  std::string sig = altered["signatures"][0]["sig"];
  sig[0] = sig[0] == 'A' ? 'B' : 'A';
  altered["signatures"][0]["sig"] = sig;
  put("RES-review-x.json", canon::canonical(altered));
  EXPECT_EQ(verdict(), "ERR_APPROVAL_SIGNATURE signature");
  put("RES-review-x.json", ApprovalCase::answer(request, c.stranger, "Lee Park"));
  EXPECT_EQ(verdict(), "ERR_APPROVAL_SIGNATURE unknown-signer");
  put("RES-review-x.json", "{}");
  EXPECT_EQ(verdict().substr(0, 22), "ERR_APPROVAL_MALFORMED");
  std::filesystem::remove(folder + "/approvals/RES-review-x.json");
  ASSERT_EQ(::mkfifo((folder + "/approvals/RES-review-x.json").c_str(), 0600), 0);
  EXPECT_EQ(verdict().substr(0, 19), "ERR_FILE_UNSUITABLE");
}

TEST_F(Gate, CountsNoAnswerToAnotherRequest) {
  c.request_id = std::string(32, '1');
  c.issued_at = "2026-11-23T16:50:00Z";
  const approval::Request first = ask();
  answer(first, c.ada, "Ada Obi");
  answer(first, c.lee, "Lee Park");
  EXPECT_EQ(tally().standing, Standing::open);
  c.supersedes = std::string(32, '1');
  c.request_id = std::string(32, '2');
  ask();
  EXPECT_EQ(tally().standing, Standing::waiting) << "an extended request starts from nothing";
  EXPECT_EQ(tally().have, 0);
}

TEST_F(Gate, RefusesTheRequestOfAnotherRunOrPlan) {
  ask();
  c.run = "run:plant-7:20261123T165433121Z";
  EXPECT_EQ(verdict(), "ERR_APPROVAL_MISMATCH run");
  c.run = "run:plant-7:20261123T165433120Z";
  plan.hash = canon::sha256(std::string_view("another plan"));
  EXPECT_EQ(verdict(), "ERR_PACK_HASH_MISMATCH approved");
}

TEST_F(Gate, AnApprovalIsForOneAttempt) {
  const approval::Request request = ask();
  answer(request, c.ada, "Ada Obi");
  answer(request, c.lee, "Lee Park");
  gate::Subject second = subject();
  second.attempt = 2;
  EXPECT_EQ(gate::tally(second, bound, time_of("2026-11-23T17:10:00Z")).standing, Standing::no_request);
}

TEST_F(Gate, OpensOnlyOverWhatWasApproved) {
  std::ofstream(folder + "/work/fw.bin") << "firmware";
  const canon::Json outputs = {{"check", {{"ready", "yes"}}}};
  const auto there = [&] { return gate::state_of(folder, outputs, 7, std::string(64, 'd')); };
  const gate::State before = there();
  c.state = {before.journal_seq, before.journal_head, before.work, before.artifacts, before.outputs};
  const approval::Request request = ask();
  answer(request, c.ada, "Ada Obi");
  answer(request, c.lee, "Lee Park");
  const auto clear = [&](const gate::State& state) {
    return refusal([&] { (void)gate::clear(subject(), bound, state, time_of("2026-11-23T17:10:00Z")); });
  };
  EXPECT_EQ(clear(there()), "none");
  std::ofstream(folder + "/work/fw.bin") << "firmwarf";
  EXPECT_EQ(clear(there()), "ERR_APPROVAL_MISMATCH state");
  std::ofstream(folder + "/work/fw.bin") << "firmware";
  EXPECT_EQ(clear(there()), "none");
  ::chmod((folder + "/work/fw.bin").c_str(), 0755);
  EXPECT_EQ(clear(there()), "ERR_APPROVAL_MISMATCH state");
  ::chmod((folder + "/work/fw.bin").c_str(), 0644);
  EXPECT_EQ(clear(gate::state_of(folder, {{"check", {{"ready", "no"}}}}, 7, std::string(64, 'd'))),
            "ERR_APPROVAL_MISMATCH state");
  EXPECT_EQ(clear(gate::state_of(folder, outputs, 8, std::string(64, 'd'))), "ERR_APPROVAL_MISMATCH state");
  EXPECT_EQ(refusal([&] { (void)gate::clear_again(subject(), bound, time_of("2026-11-23T17:10:00Z")); }), "none");
}

TEST_F(Gate, ListsLinksAndNamesThatAreNoText) {
  const gate::State empty = gate::state_of(folder, canon::Json::object(), 1, "");
  ASSERT_EQ(::symlink("/etc/passwd", (folder + "/work/link").c_str()), 0);
  const gate::State linked = gate::state_of(folder, canon::Json::object(), 1, "");
  EXPECT_NE(linked.work, empty.work);
  std::ofstream(folder + "/work/\xFF\xFE") << "x";
  const gate::State named = gate::state_of(folder, canon::Json::object(), 1, "");
  EXPECT_NE(named.work, linked.work);
  EXPECT_EQ(named.artifacts, empty.artifacts);
}

}  // namespace
}  // namespace stella
