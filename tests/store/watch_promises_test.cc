// The judges of a watch are judged: a stream that keeps every promise passes,
// and each planted fault is found by the promise that it breaks.
#include "tests/store/watch_promises.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::store {
namespace {

using testing::StartsWith;

constexpr int64_t kHead = 6;

evidence::RecordedItem ItemOf(int64_t revision, const std::string& organisation) {
  evidence::RecordedItem item;
  item.item.key = {organisation, "p", "a", ""};
  item.item.value = evidence::Decimal::FromMicros(revision);
  item.item.source = std::make_shared<const evidence::Source>();
  item.revision = revision;
  item.ordinal = revision;
  return item;
}

// Revision 2 registers something; each other says one item of hull, leeds and
// hidden.
WatchedLog Log() {
  WatchedLog log;
  for (int64_t revision = 1; revision <= kHead; ++revision) {
    LoggedRevision logged;
    logged.commit.revision = revision;
    if (revision == 2) {
      logged.kind = WriteKind::kRegistration;
    } else {
      for (const char* id : {"hull", "hidden", "leeds"}) {
        logged.items.push_back(ItemOf(revision, id));
      }
    }
    log.push_back(std::move(logged));
  }
  return log;
}

WatchMessage Say(int64_t revision, const std::vector<std::string>& organisations, bool more) {
  WatchMessage message;
  for (const std::string& id : organisations) message.items.push_back(ItemOf(revision, id));
  message.more = more;
  if (!more) message.revision = revision;
  return message;
}

// After revision 1: all there is; revision 4 in two messages, 5 in one and a
// closing one.
WatchRecording Good() {
  WatchRecording recording;
  recording.after = 1;
  recording.passes = [](const auto& item) { return item.item.key.organisation != "hidden"; };
  recording.messages = {Say(1, {}, false),      Say(3, {"hull", "leeds"}, false),
                        Say(4, {"hull"}, true), Say(4, {"leeds"}, false),
                        Say(5, {"hull"}, true), Say(5, {"leeds"}, true),
                        Say(5, {}, false),      Say(6, {"hull", "leeds"}, false)};
  recording.messages[1].register_changed = 2;
  return recording;
}

struct Fault {
  const char* name;
  const char* promise;  // That it breaks first.
  std::function<void(std::vector<WatchMessage>&)> plant;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class WatchPromisesTest : public testing::TestWithParam<Fault> {};

TEST(WatchPromisesTest, AGoodStreamPasses) {
  EXPECT_EQ(CheckWatch(Good(), Log(), kHead), absl::OkStatus());
}

TEST(WatchPromisesTest, AStreamThatWasCutPassesUpToThere) {
  WatchRecording cut = Good();
  cut.messages.resize(3);
  EXPECT_EQ(CheckWatch(cut, Log(), 3), absl::OkStatus());
}

TEST(WatchPromisesTest, WholeRevisionsMayShareAMessage) {
  WatchRecording joined = Good();
  std::vector<WatchMessage>& m = joined.messages;
  // What closes 5, and all of 6.
  m[6].items = m[7].items;
  m[6].revision = kHead;
  m.pop_back();
  EXPECT_EQ(CheckWatch(joined, Log(), kHead), absl::OkStatus());
  m[6].items.pop_back();
  EXPECT_FALSE(CheckAtomic(joined, Log()).ok());
}

TEST_P(WatchPromisesTest, FindsThePlantedFault) {
  WatchRecording bad = Good();
  GetParam().plant(bad.messages);
  EXPECT_THAT(std::string(CheckWatch(bad, Log(), kHead).message()),
              StartsWith(absl::StrCat(GetParam().promise, ": ")));
}

using Messages = std::vector<WatchMessage>;

INSTANTIATE_TEST_SUITE_P(
    Faults, WatchPromisesTest,
    testing::Values(
        Fault{"RevisionDropped", "reliable", [](Messages& m) { m.erase(m.begin() + 1); }},
        Fault{"ItemDropped", "reliable", [](Messages& m) { m[1].items.pop_back(); }},
        Fault{"ItemChanged", "reliable",
              [](Messages& m) { m[1].items[0].item.value = evidence::Decimal::FromMicros(7); }},
        Fault{"RevisionRepeated", "unique", [](Messages& m) { m.insert(m.begin() + 1, m[1]); }},
        Fault{"ItemRepeated", "unique", [](Messages& m) { m[1].items.push_back(m[1].items[1]); }},
        Fault{"RevisionsSwapped", "ordered", [](Messages& m) { std::swap(m[1], m[7]); }},
        Fault{"ItemsSwapped", "ordered",
              [](Messages& m) { std::swap(m[1].items[0], m[1].items[1]); }},
        Fault{"SplitWithoutSaying", "atomic",
              [](Messages& m) {
                m[2].more = false;
                m[2].revision = 4;
              }},
        Fault{"TwoRevisionsInOne", "atomic",
              [](Messages& m) {
                m[1].items.insert(m[1].items.end(), m[2].items.begin(), m[2].items.end());
                m.erase(m.begin() + 2);
              }},
        Fault{"NeverClosed", "atomic",
              [](Messages& m) {
                m[6] = Say(6, {"hull"}, true);
                m[7] = Say(6, {"leeds"}, false);
              }},
        Fault{"NoOpening", "bookmarked", [](Messages& m) { m.erase(m.begin()); }},
        Fault{"OpeningElsewhere", "bookmarked", [](Messages& m) { m[0].revision = 0; }},
        Fault{"NoRevision", "bookmarked", [](Messages& m) { m[1].revision.reset(); }},
        Fault{"RevisionAmidst", "bookmarked", [](Messages& m) { m[2].revision = 3; }},
        Fault{"StandsStill", "bookmarked",
              [](Messages& m) { m.insert(m.begin() + 2, Say(3, {}, false)); }},
        Fault{"GoesBack", "bookmarked",
              [](Messages& m) { m.insert(m.begin() + 4, Say(2, {}, false)); }},
        Fault{"Behind", "bookmarked", [](Messages& m) { m.pop_back(); }},
        Fault{"SaysWhatIsHidden", "reliable",
              [](Messages& m) {
                m[1] = Say(3, {"hull", "hidden", "leeds"}, false);
              }},
        Fault{"RegisterUnsaid", "register", [](Messages& m) { m[1].register_changed = 0; }},
        Fault{"RegisterTwice", "register", [](Messages& m) { m[3].register_changed = 2; }}),
    [](const auto& test) { return test.param.name; });

TEST(WatchPromisesTest, WhatIsHiddenMustNotBeSaid) {
  WatchRecording bad = Good();
  EXPECT_TRUE(CheckFiltered(bad).ok());
  bad.messages[1] = Say(3, {"hull", "hidden", "leeds"}, false);
  EXPECT_FALSE(CheckFiltered(bad).ok());
}

TEST(WatchPromisesTest, ResumedItMustSayTheRest) {
  const WatchRecording whole = Good();
  WatchRecording rest = Good();
  rest.after = 4;
  rest.messages = {Say(4, {}, false), Say(5, {"hull", "leeds"}, false),
                   Say(6, {"hull", "leeds"}, false)};
  EXPECT_TRUE(CheckResumable(whole, 3, rest).ok());
  EXPECT_FALSE(CheckResumable(whole, 2, rest).ok());
  EXPECT_FALSE(CheckResumable(whole, 1, rest).ok());

  WatchRecording bad = rest;
  bad.messages.pop_back();
  EXPECT_FALSE(CheckResumable(whole, 3, bad).ok());
  bad = rest;
  bad.messages.insert(bad.messages.begin() + 1, Say(4, {"leeds"}, false));
  EXPECT_FALSE(CheckResumable(whole, 3, bad).ok());
}

}  // namespace
}  // namespace starratings::store
