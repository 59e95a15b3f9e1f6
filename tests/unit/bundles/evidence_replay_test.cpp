// SPDX-License-Identifier: Apache-2.0
// Bags that hold together byte for byte and are signed by the appliance, and still prove nothing: what the appliance's
// key alone could make up must not pass.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "bundles/evidence/bag.hpp"
#include "bundles/evidence/replay.hpp"
#include "bundles/files/write.hpp"
#include "tests/builders/approval_case.hpp"

namespace stella {
namespace {

namespace fs = std::filesystem;
using testing::ApprovalCase;
using testing::refusal;

struct Event {
  std::string type, step;
  canon::Json data = canon::Json::object();
  std::string at = "2026-11-23T17:00:00Z";
};

class Replay : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "stella-replay.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
    facts.more = {
        {"appliances",
         canon::Json::array({{{"id", "apl-hall3"}, {"key", facts.appliance.public_key().line()}},
                             {{"id", "apl-hall4"}, {"key", facts.second_appliance.public_key().line()}}})},
        {"publishers", canon::Json::array({{{"name", "OT Tools"}, {"key", facts.publisher.public_key().line()}}})},
        {"network",
         {{"allow", canon::Json::array({{{"host", "historian.plant.example"},
                                         {"address", "10.1.2.3"},
                                         {"port", 443},
                                         {"packs", canon::Json::array({"firmware-*"})},
                                         {"reason", "read batch plan"}}})}}}};
  }
  void TearDown() override { files::remove_tree(root); }

  // Appends to the journal; the last hash is what the next line follows.
  void happen(const Event& event) {
    canon::Json line = {{"seq", ++seq}, {"at", event.at}, {"type", event.type}, {"run", facts.run},
                        {"attempt", 1}, {"prev", head},   {"data", event.data}};
    if (!event.step.empty()) line["step"] = event.step;
    const std::string text = canon::canonical(line);
    head = canon::sha256(text).hex();
    journal += text + "\n";
  }
  [[nodiscard]] canon::Json plan_data() const {
    return {{"planHash", canon::sha256(canon::canonical(facts.plan())).tagged()}};
  }
  // Up to the gate, where the request is made.
  void begin() {
    happen({"pack.run.submitted", ""});
    happen({"pack.run.planned", "", plan_data()});
    happen({"pack.step.started", "check"});
    facts.state.journal_seq = seq;
    facts.state.journal_head = head;
  }
  void ask(const trust::PrivateKey& asker) {
    approval::Draft draft = facts.draft();
    const std::string origin = approval::ledger_origin(facts.appliance_id, facts.tenant);
    draft.checkpoint = checkpoint::sign({origin, 2, canon::merkle_root(facts.leaves)}, origin, asker);
    const approval::Request request = approval::make_request(std::move(draft), asker);
    papers["REQ-" + std::to_string(papers.size()) + ".json"] = request.parcel.bytes;
    const std::string first = ApprovalCase::answer(request, facts.ada, "Ada Obi"),
                      second = ApprovalCase::answer(request, facts.lee, "Lee Park");
    for (const std::string& answer : {first, second}) {
      const dsse::Envelope envelope = dsse::parse(answer, fault::Code::usage, "RES");
      papers["RES-review-" + std::to_string(papers.size()) + ".json"] = answer;
      happen({"pack.approval.recorded", "", {{"dsse", canon::sha256(envelope.payload).tagged()}}, recorded_at});
    }
  }
  void end() {
    happen({"pack.step.started", "flash"});
    happen({"pack.step.started", "report"});
    happen({"pack.run.succeeded", ""});
  }
  void whole_run() {
    begin();
    ask(facts.appliance);
    end();
  }

  // Two turns of a map, each with a gate of its own before its step.
  void plan_turns() {
    const canon::Json none = canon::Json::array();
    facts.gates = {"flash[0]::review", "flash[1]::review"};
    facts.steps = canon::Json::array({{{"id", "check"}, {"kind", "run"}, {"needs", none}},
                                      {{"id", "flash"}, {"kind", "map"}, {"needs", canon::Json::array({"check"})}}});
    for (const std::string turn : {"flash[0]", "flash[1]"}) {
      facts.steps.push_back({{"id", turn}, {"in", "flash"}, {"kind", "item"}, {"needs", none}});
      facts.steps.push_back({{"id", turn + "::ask"},
                             {"in", turn},
                             {"kind", "gate.approval"},
                             {"approval", turn + "::review"},
                             {"needs", none}});
      facts.steps.push_back(
          {{"id", turn + "::one"}, {"in", turn}, {"kind", "run"}, {"needs", canon::Json::array({turn + "::ask"})}});
    }
  }
  // `number` makes each request its own.
  void ask_for_turn(const std::string& gate, char number) {
    facts.gate = gate;
    facts.request_id = std::string(32, number);
    facts.nonce = std::string(64, number);
    facts.state.journal_seq = seq;
    facts.state.journal_head = head;
    ask(facts.appliance);
  }

  [[nodiscard]] std::string attestation() const {
    const dsse::Statement statement{
        {{"plan.json", canon::sha256(canon::canonical(facts.plan()))}},
        "https://slsa.dev/provenance/v1",
        {{"runDetails",
          {{"metadata", {{"invocationId", facts.run}}},
           {"stella", {{"state", "succeeded"}, {"journal", {{"seq", seq}, {"head", head}}}}}}}}};
    return dsse::serialise(dsse::sign(statement, *attester));
  }
  std::string verdict() {
    const std::string folder = root + "/bag";
    evidence::BagWriter bag(folder);
    bag.add("data/plan.json", canon::canonical(facts.plan()));
    if (!simulation.empty()) bag.add("data/simulation.json", simulation);
    bag.add("trust/site.dsse.json", dsse::serialise(dsse::sign(dsse::kSiteType, facts.policy_text(), facts.admin)));
    const dsse::Statement pack{{{"firmware-rollout:1.4.0", canon::sha256(std::string_view("pack"))}},
                               "urn:stella:pack:v1",
                               {{"name", "firmware-rollout"}, {"version", "1.4.0"}}};
    bag.add("trust/pack.dsse.json", dsse::serialise(dsse::sign(pack, facts.publisher)));
    bag.add("attestations/run.dsse.json", attestation());
    bag.add("journal.jsonl", journal);
    for (const auto& [name, text] : papers) bag.add("approvals/" + name, text);
    (void)bag.finish({facts.run, facts.tenant, "succeeded", "personal", 1, "", {}, "test"}, facts.appliance);
    return refusal([&] {
      (void)evidence::replay(evidence::check_integrity(folder), {{facts.admin.public_key()}, std::nullopt});
    });
  }

  ApprovalCase facts;
  const trust::PrivateKey* attester = &facts.appliance;
  std::string root, journal, simulation, head = std::string(64, '0'), recorded_at = "2026-11-23T17:00:00Z";
  std::int64_t seq = 0;
  std::map<std::string, std::string> papers;
};

TEST_F(Replay, ProvesAnHonestRun) {
  facts.require = canon::Json::array({{{"packs", canon::Json::array({"firmware-*"})}, {"threshold", 2}}});
  whole_run();
  EXPECT_EQ(verdict(), "none");
}

TEST_F(Replay, ProvesTheGateOfEachTurn) {
  plan_turns();
  begin();
  ask_for_turn("flash[0]::review", 'a');
  happen({"pack.step.started", "flash[0]::one"});
  ask_for_turn("flash[1]::review", 'b');
  happen({"pack.step.started", "flash[1]::one"});
  happen({"pack.run.succeeded", ""});
  EXPECT_EQ(verdict(), "none");
}

TEST_F(Replay, SeesATurnWhoseGateNobodyApproved) {
  plan_turns();
  begin();
  ask_for_turn("flash[0]::review", 'a');
  happen({"pack.step.started", "flash[0]::one"});
  happen({"pack.step.started", "flash[1]::one"});
  happen({"pack.run.succeeded", ""});
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED gate");
}

TEST_F(Replay, CountsAnApprovalForItsOwnTurnOnly) {
  plan_turns();
  begin();
  ask_for_turn("flash[1]::review", 'a');
  happen({"pack.step.started", "flash[0]::one"});
  happen({"pack.run.succeeded", ""});
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED gate");
}

TEST_F(Replay, LetsATurnGoWhoseGateWasSkippedOnlyWhereThePlanMaySkipIt) {
  plan_turns();
  begin();
  happen({"pack.step.skipped", "check"});
  happen({"pack.step.started", "flash[0]::one"});
  happen({"pack.run.succeeded", ""});
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED gate");
}

TEST_F(Replay, LetsASkippedGateGoThatHasACondition) {
  plan_turns();
  facts.steps[3]["when"] = "inputs.cell == 'other'";
  begin();
  happen({"pack.step.skipped", "flash[0]::ask"});
  happen({"pack.step.started", "flash[0]::one"});
  happen({"pack.run.succeeded", ""});
  EXPECT_EQ(verdict(), "none");
}

TEST_F(Replay, ComparesTheSimulationWithTheJournal) {
  simulation = R"({"classes":{"check":"skipped"},"dynamic":[]})";
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_TAMPERED simulation");
}

TEST_F(Replay, SeesAStepThatStartedBeforeItsGateOpened) {
  begin();
  happen({"pack.step.started", "flash"});
  ask(facts.appliance);
  happen({"pack.run.succeeded", ""});
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED gate");
}

TEST_F(Replay, CountsNoAnswerThatCameTooLate) {
  recorded_at = "2026-11-23T17:24:34Z";
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED gate");
}

TEST_F(Replay, CountsNoApprovalThatAnotherApplianceAskedFor) {
  facts.appliance_id = "apl-hall4";
  begin();
  ask(facts.second_appliance);
  end();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_TAMPERED request");
}

TEST_F(Replay, HoldsTheJournalToWhatTheApproversSigned) {
  begin();
  facts.state.journal_head = std::string(64, 'd');
  ask(facts.appliance);
  end();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_TAMPERED request");
}

TEST_F(Replay, HoldsTheRequestToAPlaceInTheJournal) {
  begin();
  facts.state.journal_seq = 1000;
  ask(facts.appliance);
  end();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_TAMPERED request");
}

TEST_F(Replay, WantsTheGatesThatThePolicyDemands) {
  facts.require = canon::Json::array({{{"packs", canon::Json::array({"*"})}, {"threshold", 3}}});
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED floor");
}

TEST_F(Replay, WantsTheRolesThatThePolicyDemands) {
  facts.require =
      canon::Json::array({{{"packs", canon::Json::array({"*"})}, {"threshold", 1}, {"roles", {{"safety", 1}}}}});
  facts.roles = canon::Json::object();
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED floor");
}

TEST_F(Replay, SeesAHostThatThePolicyDoesNotList) {
  facts.more.erase("network");
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED network");
}

TEST_F(Replay, SeesADeniedPack) {
  facts.more["denied"] = canon::Json::array({{{"pack", "firmware-rollout:1.4.0"}, {"reason", "bricks rev B"}}});
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED denied");
}

TEST_F(Replay, SeesAPackThatItsTenantDoesNotGet) {
  canon::Json tenants = canon::parse_json(facts.policy_text(), fault::Code::usage, "policy").at("tenants");
  tenants[0]["packs"] = canon::Json::array({"probe-*"});
  facts.more["tenants"] = tenants;
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_UNTRUSTED tenant");
}

TEST_F(Replay, WantsThePlanInTheJournal) {
  happen({"pack.run.submitted", ""});
  facts.state.journal_seq = seq;
  facts.state.journal_head = head;
  ask(facts.appliance);
  end();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_TAMPERED journal");
}

TEST_F(Replay, WantsOneApplianceForListAndAttestation) {
  attester = &facts.second_appliance;
  whole_run();
  EXPECT_EQ(verdict(), "ERR_EVIDENCE_TAMPERED attestation");
}

}  // namespace
}  // namespace stella
