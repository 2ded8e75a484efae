// What it is to be an EvidenceStore: whatever is written in whatever order,
// each revision reads as a list of all that was accepted says.
#include <map>
#include <random>

#include "common/digest/bucket.h"
#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

struct Accepted {
  evidence::Item item;
  int64_t revision;
  int64_t ordinal;
};

// The model: what is under each key at `revision`, as one line an item, in the
// order of ListItems().
std::vector<std::string> ModelAt(const std::vector<Accepted>& log, int64_t revision) {
  std::map<std::pair<int, evidence::ItemKey>, std::string> newest;
  for (const Accepted& accepted : log) {
    if (accepted.revision > revision) continue;
    evidence::RecordedItem item = {
        accepted.item, accepted.revision, accepted.ordinal, "spiffe://test/ann", 0, "because"};
    newest[{digest::BucketOf(item.item.key.organisation), item.item.key}] = Describe(item);
  }
  std::vector<std::string> lines;
  for (const auto& [place, line] : newest) lines.push_back(line);
  return lines;
}

class Operations {
 public:
  explicit Operations(unsigned seed) : random_(seed) {}

  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  evidence::Item NextItem() {
    static constexpr const char* kOrganisations[] = {"hull", "Hull", "leeds", "h\xc3\xbcll"};
    static constexpr const char* kPeriods[] = {"2001-02", "2002-03", "standing"};
    evidence::Item item = ItemOf(kOrganisations[Below(4)], absl::StrCat("c", Below(3)), NextValue(),
                                 kPeriods[Below(3)], Below(4) == 0 ? "x" : "");
    if (Below(2) == 0) item.observed_on = evidence::Date::FromDays(Below(10'000));
    item.source = std::make_shared<const evidence::Source>(
        evidence::Source{absl::StrCat("Source ", Below(5)), "", "", Below(2) == 0});
    return item;
  }

 private:
  evidence::Value NextValue() {
    switch (Below(5)) {
      case 0:
        return evidence::Decimal::FromMicros(Below(1'000'000) - 500'000);
      case 1:
        return evidence::Ratio{Below(100), 1 + Below(100)};
      case 2:
        return evidence::Level{absl::StrCat("level ", Below(3))};
      case 3:
        return Below(2) == 0;
      default:
        return evidence::MissingReason::kWithdrawn;
    }
  }

  std::mt19937 random_;
};

// The current etag of `key` by the log.
std::string EtagOf(const std::vector<Accepted>& log, const evidence::ItemKey& key) {
  std::string etag;
  for (const Accepted& accepted : log) {
    if (accepted.item.key == key) etag = absl::StrCat(accepted.ordinal, ".", accepted.revision);
  }
  return etag;
}

int64_t OrdinalOf(const std::vector<Accepted>& log, const evidence::ItemKey& key) {
  int64_t count = 0;
  for (const Accepted& accepted : log) count += accepted.item.key == key ? 1 : 0;
  return count;
}

TEST_P(ConformanceTest, EveryRevisionReadsAsTheLogSays) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    store_.reset();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    store_ = GetParam().open(folder_);
    Operations operations(seed);
    std::vector<Accepted> log;
    int64_t head = 0;
    for (int step = 0; step < 60; ++step) {
      std::map<evidence::ItemKey, EvidenceDraft> drafts;
      bool acceptable = true;
      for (int i = operations.Below(6); i >= 0; --i) {
        const evidence::Item item = operations.NextItem();
        if (drafts.contains(item.key)) continue;
        const std::string etag = EtagOf(log, item.key);
        Expectation expected;
        switch (operations.Below(8)) {
          case 0:
            expected = Nothing();
            acceptable = acceptable && etag.empty();
            break;
          case 1:
            expected = Etag("1.1");
            acceptable = acceptable && etag == "1.1";
            break;
          case 2:
            if (!etag.empty()) expected = Etag(etag);
            break;
          default:
            break;
        }
        drafts[item.key] = {item, expected};
      }
      Write write = Say(absl::StrCat("step ", step), {});
      for (const auto& [key, draft] : drafts) {
        std::get<EvidenceBatch>(write.body).items.push_back(draft);
      }
      const auto written = Commit(write);
      ASSERT_EQ(written.ok(), acceptable) << written.status();
      if (!written.ok()) continue;
      ASSERT_EQ(written->revision, ++head);
      for (const auto& [key, draft] : drafts) {
        log.push_back({draft.item, head, OrdinalOf(log, key) + 1});
      }
    }
    ASSERT_GT(head, 20);
    for (int64_t revision = 0; revision <= head; ++revision) {
      const auto items = store_->ListItems({}, {}, 1'000, revision, kForever);
      ASSERT_TRUE(items.ok()) << items.status();
      ASSERT_EQ(Describe(*items), ModelAt(log, revision)) << "at revision " << revision;
    }
  }
}

}  // namespace
}  // namespace starratings::store
