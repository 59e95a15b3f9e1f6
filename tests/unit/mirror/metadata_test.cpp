// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "mirror/metadata/document.hpp"
#include "mirror/metadata/role.hpp"
#include "mirror/metadata/verify.hpp"

namespace stella::metadata {
namespace {

using namespace std::chrono_literals;
const clock::Time kNow = clock::parse_time("2026-11-23T12:00:00Z", fault::Code::internal, "test");

const std::vector<trust::PrivateKey>& private_keys() {
  static const std::vector<trust::PrivateKey> keys = [] {
    std::vector<trust::PrivateKey> made;
    for (int i = 0; i < 10; ++i) made.push_back(trust::PrivateKey::generate());
    return made;
  }();
  return keys;
}
// Keys 0..2 are root's, 3 targets', 4 snapshot's, 5 timestamp's, 6 the channel's, 7..9 strangers or successors.
const trust::PrivateKey& key(int number) {
  return private_keys().at(static_cast<std::size_t>(number));
}

std::string sign(const canon::Json& part, const std::vector<int>& signers) {
  std::vector<const trust::PrivateKey*> keys;
  for (const int number : signers) keys.push_back(&key(number));
  return sign_document(part, keys);
}

Header header(std::int64_t version, std::int64_t generation) {
  return {version, kNow + 24h, {.source = "outside-1", .generation = generation, .base = {}, .issued = kNow - 1h}};
}

RoleKeys keys_of(const std::vector<int>& numbers, int threshold, Keys& all) {
  RoleKeys role{threshold, {}};
  for (const int number : numbers) {
    const trust::PublicKey& public_key = key(number).public_key();
    role.key_ids.push_back(key_id(public_key));
    all.emplace(role.key_ids.back(), public_key);
  }
  return role;
}

Root root(std::int64_t version = 1, const std::vector<int>& root_keys = {0, 1, 2}) {
  Root made;
  made.header = header(version, 0);
  made.roles["root"] = keys_of(root_keys, 2, made.keys);
  made.roles["targets"] = keys_of({3}, 1, made.keys);
  made.roles["snapshot"] = keys_of({4}, 1, made.keys);
  made.roles["timestamp"] = keys_of({5}, 1, made.keys);
  return made;
}

// A bundle's metadata/ in memory, with a hook on each role before it is signed.
struct Bundle {
  std::int64_t generation = 5;
  std::function<void(canon::Json&)> timestamp = [](canon::Json&) {}, snapshot = timestamp, targets = timestamp,
                                    channel = timestamp;
  std::vector<int> timestamp_signers = {5}, snapshot_signers = {4}, targets_signers = {3}, channel_signers = {6};
  std::map<std::string, std::string> files;

  std::string name(const std::string& role) const { return std::to_string(generation) + "." + role + ".json"; }
  FileMeta put(const std::string& role, canon::Json part, const std::function<void(canon::Json&)>& change,
               const std::vector<int>& signers) {
    change(part);
    const std::string text = sign(part, signers);
    files[role == "timestamp" ? "timestamp.json" : name(role)] = text;
    return {generation, text.size(), canon::sha256(text)};
  }
  Bundle& build() {
    files["1.root.json"] = sign(to_json(root()), {0, 1, 2});
    Targets stable{.header = header(generation, generation), .targets = {}, .keys = {}, .delegations = {}};
    stable.targets["stable/tool/1.0.0"] = {7, canon::sha256("manifest"), {{"tenants", canon::Json::array()}}};
    Targets top{.header = header(generation, generation), .targets = {}, .keys = {}, .delegations = {}};
    top.targets["data/index.jsonl"] = {5, canon::sha256("index"), canon::Json::object()};
    Delegation delegation{.name = "stable", .keys = keys_of({6}, 1, top.keys), .paths = {"stable/*/*"}};
    top.delegations.push_back(delegation);
    Snapshot all{.header = header(generation, generation), .roles = {}};
    all.roles["stable"] = put("stable", to_json(stable), channel, channel_signers);
    all.roles["targets"] = put("targets", to_json(top), targets, targets_signers);
    Timestamp stamp{.header = header(generation, generation),
                    .snapshot = put("snapshot", to_json(all), snapshot, snapshot_signers)};
    put("timestamp", to_json(stamp), timestamp, timestamp_signers);
    return *this;
  }
  Reader reader() const {
    return [this](const std::string& file, std::uint64_t) -> std::optional<std::string> {
      const auto found = files.find(file);
      return found == files.end() ? std::nullopt : std::optional(found->second);
    };
  }
};

TrustedRoot pinned() {
  return parse_pinned_root(sign(to_json(root()), {0, 1, 2}), "1.root.json");
}

Verified verify(const Bundle& bundle, const Held& held = {}, clock::Duration max_age = 0s, clock::Time now = kNow) {
  return verify_update(pinned(), bundle.reader(), held, {now, max_age});
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "taken";
}
std::string refusal_of(const Bundle& bundle, const Held& held = {}, clock::Duration max_age = 0s,
                       clock::Time now = kNow) {
  return refusal([&] { (void)verify(bundle, held, max_age, now); });
}

TEST(Update, TakesAGoodBundle) {
  const Verified verified = verify(Bundle().build());
  EXPECT_EQ(verified.generation(), 5);
  EXPECT_EQ(verified.source(), "outside-1");
  EXPECT_EQ(verified.channels.at("stable").targets.size(), 1U);
  EXPECT_EQ(verified.age, 1h);
}

TEST(Update, NeedsEachRolesOwnKey) {
  for (const auto member :
       {&Bundle::timestamp_signers, &Bundle::snapshot_signers, &Bundle::targets_signers, &Bundle::channel_signers}) {
    Bundle bundle;
    bundle.*member = {7};
    EXPECT_EQ(refusal_of(bundle.build()), "ERR_MIRROR_SIGNATURE threshold");
    bundle.*member = {};
    EXPECT_EQ(refusal_of(bundle.build()), "ERR_MIRROR_SIGNATURE threshold");
  }
}

TEST(Update, RefusesEveryFlippedByte) {
  const Bundle good = Bundle().build();
  for (const auto& [name, text] : good.files) {
    if (name == "1.root.json") continue;
    for (std::size_t at = 0; at < text.size(); at += 7) {
      Bundle bad = good;
      bad.files[name][at] = static_cast<char>(text[at] ^ 1);
      EXPECT_NE(refusal_of(bad), "taken") << name << " at " << at;
    }
  }
}

TEST(Update, NeverGoesBack) {
  Held held{.generation = 6, .timestamp = "x", .roles = {}, .issued = {}};
  EXPECT_EQ(refusal_of(Bundle().build(), held), "ERR_MIRROR_ROLLBACK version");
  held.generation = 5;
  EXPECT_EQ(refusal_of(Bundle().build(), held), "ERR_MIRROR_ROLLBACK changed");
  const Bundle same = Bundle().build();
  held.timestamp = verify(same).timestamp_canonical;
  EXPECT_EQ(refusal_of(same, held), "taken");
  held = {.generation = 4, .timestamp = "x", .roles = {"edge"}, .issued = {}};
  EXPECT_EQ(refusal_of(Bundle().build(), held), "ERR_MIRROR_ROLLBACK role-removed");
}

TEST(Update, RefusesMetadataOfTwoGenerations) {
  Bundle mixed;
  mixed.snapshot = [](canon::Json& part) { part["version"] = part["x-stella"]["generation"] = 4; };
  EXPECT_EQ(refusal_of(mixed.build()), "ERR_MIRROR_DIGEST metadata");
  Bundle old_channel;
  old_channel.channel = [](canon::Json& part) { part["version"] = part["x-stella"]["generation"] = 4; };
  EXPECT_EQ(refusal_of(old_channel.build()), "ERR_MIRROR_DIGEST metadata");
  Bundle disagrees;
  disagrees.timestamp = [](canon::Json& part) { part["x-stella"]["generation"] = 9; };
  EXPECT_EQ(refusal_of(disagrees.build()), "ERR_MIRROR_MALFORMED json");
}

TEST(Update, RefusesAnotherSource) {
  Bundle bundle;
  bundle.timestamp = [](canon::Json& part) { part["x-stella"]["source"] = "outside-2"; };
  EXPECT_EQ(refusal_of(bundle.build()), "ERR_MIRROR_UNTRUSTED source");
}

TEST(Update, FreezesByTheSitesMaximalAge) {
  const Bundle bundle = Bundle().build();
  EXPECT_EQ(refusal_of(bundle, {}, 0s, kNow + 48h), "ERR_MIRROR_FROZEN expired");
  EXPECT_EQ(refusal_of(bundle, {}, 48h, kNow + 48h), "ERR_MIRROR_FROZEN expired");
  EXPECT_EQ(refusal_of(bundle, {}, 49h, kNow + 48h), "taken");
  EXPECT_EQ(verify(bundle, {}, 49h, kNow + 48h).expired.size(), 5U);
  Bundle channel_only;
  channel_only.channel = [](canon::Json& part) { part["expires"] = "2026-11-23T11:30:00Z"; };
  EXPECT_EQ(refusal_of(channel_only.build()), "ERR_MIRROR_FROZEN expired");
}

TEST(Update, KeepsAChannelToItsOwnPaths) {
  Bundle bundle;
  bundle.channel = [](canon::Json& part) { part["targets"]["edge/tool/1.0.0"] = part["targets"]["stable/tool/1.0.0"]; };
  EXPECT_EQ(refusal_of(bundle.build()), "ERR_MIRROR_UNTRUSTED path");
  Bundle wide;
  wide.targets = [](canon::Json& part) { part["delegations"]["roles"][0]["paths"] = {"*/*/*"}; };
  EXPECT_EQ(refusal_of(wide.build()), "ERR_MIRROR_MALFORMED json");
}

TEST(Update, RefusesADelta) {
  Bundle bundle;
  bundle.timestamp = [](canon::Json& part) { part["x-stella"]["base"] = 4; };
  EXPECT_EQ(refusal_of(bundle.build()), "ERR_MIRROR_BASE delta");
}

TEST(Update, SaysWhichFileIsMissing) {
  for (const std::string name : {"timestamp.json", "5.snapshot.json", "5.targets.json", "5.stable.json"}) {
    Bundle bundle = Bundle().build();
    bundle.files.erase(name);
    EXPECT_EQ(refusal_of(bundle), "ERR_MIRROR_MALFORMED missing") << name;
  }
}

TEST(Roots, AreWalkedByOldAndNewThreshold) {
  const canon::Json next = to_json(root(2, {2, 7, 8}));
  const auto walk = [&](const std::string& text) {
    return refusal([&] {
      TrustedRoot trusted = pinned();
      extend(trusted, text, "2.root.json");
    });
  };
  EXPECT_EQ(walk(sign(next, {0, 1, 7, 8})), "taken");
  EXPECT_EQ(walk(sign(next, {0, 2, 7})), "taken");
  EXPECT_EQ(walk(sign(next, {7, 8})), "ERR_MIRROR_SIGNATURE threshold");           // by the new only
  EXPECT_EQ(walk(sign(next, {0, 1})), "ERR_MIRROR_SIGNATURE threshold");           // by the old only
  EXPECT_EQ(walk(sign(next, {0, 2})), "ERR_MIRROR_SIGNATURE threshold");           // one of the new
  EXPECT_EQ(walk(sign(next, {0, 0, 0, 7, 7})), "ERR_MIRROR_SIGNATURE threshold");  // one key often
  EXPECT_EQ(walk(sign(to_json(root(3)), {0, 1})), "ERR_MIRROR_ROLLBACK version");
  canon::Json other = to_json(root(2));
  other["x-stella"]["source"] = "outside-2";
  EXPECT_EQ(walk(sign(other, {0, 1})), "ERR_MIRROR_UNTRUSTED source");
}

TEST(Roots, OfAChainAreFollowedAndAnExpiredMiddleOneIsFine) {
  Bundle bundle = Bundle().build();
  canon::Json second = to_json(root(2, {2, 7, 8}));
  second["expires"] = "2026-01-01T00:00:00Z";
  bundle.files["2.root.json"] = sign(second, {0, 1, 7, 8});
  EXPECT_EQ(refusal_of(bundle), "ERR_MIRROR_FROZEN expired");
  bundle.files["3.root.json"] = sign(to_json(root(3, {7, 8, 9})), {7, 8});
  EXPECT_EQ(verify(bundle).root.root.header.version, 3);
  EXPECT_EQ(verify(bundle).root.texts.size(), 3U);
}

TEST(Roots, ThatTheBundleRepeatsMustBeTheTrustedOnes) {
  Bundle bundle = Bundle().build();
  bundle.files["1.root.json"] = sign(to_json(root()), {0, 1});
  EXPECT_EQ(refusal_of(bundle), "ERR_MIRROR_UNTRUSTED root");
  bundle.files.erase("1.root.json");
  EXPECT_EQ(refusal_of(bundle), "taken");
}

TEST(Roots, MustSignThemselves) {
  const auto pin = [](const std::string& text) {
    return refusal([&] { (void)parse_pinned_root(text, "1.root.json"); });
  };
  EXPECT_EQ(pin(sign(to_json(root()), {0})), "ERR_MIRROR_SIGNATURE threshold");
  EXPECT_EQ(pin(sign(to_json(root()), {0, 0})), "ERR_MIRROR_SIGNATURE threshold");
  EXPECT_EQ(pin(sign(to_json(root()), {0, 9})), "ERR_MIRROR_SIGNATURE threshold");
  EXPECT_EQ(pin(sign(to_json(root()), {0, 9, 2})), "taken");
}

struct BadRoot {
  const char* pointer;
  canon::Json value;
};

TEST(Roots, AreReadStrictly) {
  const std::vector<BadRoot> bad = {
      {"/version", 0},
      {"/version", -1},
      {"/version", 1.5},
      {"/version", "1"},
      {"/_type", "targets"},
      {"/spec_version", "2.0"},
      {"/expires", "2026-11-23"},
      {"/consistent_snapshot", false},
      {"/unknown", 1},
      {"/roles/root/threshold", 0},
      {"/roles/root/threshold", 4},
      {"/roles/root/keyids", canon::Json::array()},
      {"/roles/mirrors", canon::Json::object()},
      {"/x-stella/source", "Outside 1"},
      {"/x-stella/more", 1},
      {"/keys", canon::Json::array()},
  };
  for (const BadRoot& item : bad) {
    canon::Json part = to_json(root());
    part[canon::Json::json_pointer(item.pointer)] = item.value;
    EXPECT_EQ(refusal([&] { (void)parse_root(part, "root"); }).substr(0, 20), "ERR_MIRROR_MALFORMED")
        << item.pointer << item.value;
  }
}

TEST(Roots, RefuseWeakForeignAndRenamedKeys) {
  const auto with_key = [](const canon::Json& object, const std::string& id) {
    canon::Json part = to_json(root());
    part["keys"][id] = object;
    return refusal([&] { (void)parse_root(part, "root"); });
  };
  canon::Json object = key_object(key(9).public_key());
  EXPECT_EQ(with_key(object, key_id(key(9).public_key())), "taken");
  EXPECT_EQ(with_key(object, std::string(64, 'a')), "ERR_MIRROR_MALFORMED key");
  object["keyval"]["public"] = "01" + std::string(62, '0');  // the identity point: every signature verifies under it
  EXPECT_EQ(with_key(object, canon::sha256(canon::canonical(object)).hex()), "ERR_MIRROR_MALFORMED key");
  object["scheme"] = "rsassa-pss-sha256";
  EXPECT_EQ(with_key(object, canon::sha256(canon::canonical(object)).hex()), "ERR_MIRROR_MALFORMED key");
}

TEST(Document, TakesOnlyWhatIsTheSameInBothCanonicalForms) {
  const auto parse = [](const std::string& part) {
    return refusal([&] { (void)parse_document(R"({"signatures":[],"signed":)" + part + "}", "x.json", 1000); });
  };
  EXPECT_EQ(parse(R"({"a":"b\"\\"})"), "taken");
  EXPECT_EQ(parse(R"({"a":"\n"})"), "ERR_MIRROR_MALFORMED json");
  EXPECT_EQ(parse(R"({"a":1.0})"), "ERR_MIRROR_MALFORMED json");
  EXPECT_EQ(parse(R"({"a":9007199254740993})"), "ERR_MIRROR_MALFORMED json");
  EXPECT_EQ(parse(R"({"\ud83d\ude00":1})"), "ERR_MIRROR_MALFORMED json");
  EXPECT_EQ(parse(R"({"a":1,"a":1})"), "ERR_MIRROR_MALFORMED json");
  EXPECT_EQ(parse(R"({"a":")" + std::string(2000, 'x') + R"("})"), "ERR_MIRROR_MALFORMED json");
  EXPECT_EQ(parse(R"({},"more":1)"), "ERR_MIRROR_MALFORMED json");
}

TEST(Document, VerifiesTheCanonicalFormWhateverItsWhiteSpace) {
  Bundle bundle = Bundle().build();
  const canon::Json whole = canon::parse_json(bundle.files["timestamp.json"], fault::Code::internal, "test");
  bundle.files["timestamp.json"] = canon::pretty(whole);
  EXPECT_EQ(refusal_of(bundle), "taken");
}

TEST(PathPattern, DoesNotCrossASlash) {
  EXPECT_TRUE(matches_path("stable/*/*", "stable/tool/1.0.0"));
  EXPECT_TRUE(matches_path("stable/*/1.*", "stable/tool/1.0.0"));
  EXPECT_FALSE(matches_path("stable/*", "stable/tool/1.0.0"));
  EXPECT_FALSE(matches_path("stable/*/*", "stable/tool"));
  EXPECT_FALSE(matches_path("stable/*/*", "edge/tool/1.0.0"));
}

}  // namespace
}  // namespace stella::metadata
